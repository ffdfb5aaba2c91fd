-- Gives the derived keys of users another lifetime.
--
-- ARGV     the users

for _, user in ipairs(ARGV) do
  local records, standing = load(user)
  if standing then derive(user, standing, deciding(records), records, {}) end
end
return reply(#ARGV)

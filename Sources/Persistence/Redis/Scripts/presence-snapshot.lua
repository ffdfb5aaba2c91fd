-- A page of the users with sessions.
--
-- ARGV[1]  the cursor of SSCAN
-- ARGV[2]  about how many
--
-- Returns the next cursor ('0' at the end), then id and presence of each user.

local page = redis.call('SSCAN', P .. 'users', ARGV[1], 'COUNT', ARGV[2])
local answer = { page[1] }
for _, user in ipairs(page[2]) do
  local standing = redis.call('HGET', P .. 'user:' .. user, '')
  if standing then
    answer[#answer + 1] = user
    answer[#answer + 1] = standing
  end
end
return answer

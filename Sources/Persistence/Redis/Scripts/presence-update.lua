-- Changes a session. One that is not known, or has moved to another instance, is ignored.
--
-- ARGV[1]  the instance
-- ARGV[2]  the user
-- ARGV[3]  the session
-- ARGV[4]  what: wish, idle, active, name
-- ARGV[5]  its value: the status, 1 or 0, nothing, the name
-- ARGV[6]  the time, in milliseconds
-- ARGV[7]  the same as ISO 8601
--
-- Returns 1, or 0 when the session is not known.

local user, what, value, now = ARGV[2], ARGV[4], ARGV[5], tonumber(ARGV[6])
if redis.pcall('HEXISTS', P .. 'user:' .. user, ARGV[3]) == 0 then return reply(0) end

change(user, now, ARGV[7], ARGV[1], function(records, standing)
  local record = records[ARGV[3]]
  if not record or record.instance ~= ARGV[1] then return {}, true end
  record.session = ARGV[3]
  if what == 'wish' then
    for session, other in pairs(records) do
      other.session = session
      if value == 'invisible' or other.wish == 'invisible' or session == ARGV[3] then
        other.wish = value
        save(user, other)
      end
    end
    return {}, false
  elseif what == 'idle' then
    -- An idle user has not been seen just now.
    record.idle = value == '1'
    save(user, record)
    return {}, true
  elseif what == 'active' then
    record.idle = false
    record.lastActiveAt = now
  elseif what == 'name' then
    record.username = value
    standing.name = value
  end
  save(user, record)
  return {}, false
end)
return reply(1)

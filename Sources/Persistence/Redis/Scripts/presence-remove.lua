-- Removes a session. A session that has moved to another instance belongs to that one and stays.
--
-- ARGV[1]  the instance
-- ARGV[2]  the user
-- ARGV[3]  the session
-- ARGV[4]  the time, in milliseconds
-- ARGV[5]  the same as ISO 8601

redis.call('HDEL', P .. 'instance:' .. ARGV[1] .. ':sessions', ARGV[3])
if redis.pcall('HEXISTS', P .. 'user:' .. ARGV[2], ARGV[3]) == 0 then return reply(0) end
change(ARGV[2], tonumber(ARGV[4]), ARGV[5], ARGV[1], function(records)
  local record = records[ARGV[3]]
  if not record or record.instance ~= ARGV[1] then return {}, true end
  records[ARGV[3]] = nil
  -- A lingering user was last seen when the connection broke.
  return { ARGV[3] }, record.lingering
end)
return reply(1)

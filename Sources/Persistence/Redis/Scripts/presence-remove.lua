-- Takes a session out for good.
--
-- ARGV[1]  the instance
-- ARGV[2]  the user
-- ARGV[3]  the session
-- ARGV[4]  the time, in milliseconds
-- ARGV[5]  the same as ISO 8601

redis.call('HDEL', P .. 'instance:' .. ARGV[1] .. ':sessions', ARGV[3])
if redis.call('HEXISTS', P .. 'user:' .. ARGV[2], ARGV[3]) == 0 then return 0 end
change(ARGV[2], tonumber(ARGV[4]), ARGV[5], ARGV[1], function(records)
  -- Who lingers was last seen when the connection broke.
  local unseen = records[ARGV[3]] and records[ARGV[3]].lingering
  records[ARGV[3]] = nil
  return { ARGV[3] }, unseen
end)
return 1

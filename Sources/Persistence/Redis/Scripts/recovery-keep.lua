-- Keeps a session, in place of the one under the same key.
--
-- ARGV[1]  the key
-- ARGV[2]  the session
-- ARGV[3]  its user
-- ARGV[4]  for how long, in milliseconds
-- ARGV[5]  how many sessions are kept at most; past that the oldest go

local now, lifetime = milliseconds(), tonumber(ARGV[4])
redis.call('HSET', ONE .. ARGV[1], 'session', ARGV[2], 'user', ARGV[3], 'kept', now)
redis.call('PEXPIRE', ONE .. ARGV[1], lifetime)
redis.call('ZADD', ALL, now + lifetime, ARGV[1])
if redis.call('PTTL', ALL) < lifetime then redis.call('PEXPIRE', ALL, lifetime) end
redis.call('ZREMRANGEBYSCORE', ALL, '-inf', now)
local excess = redis.call('ZCARD', ALL) - tonumber(ARGV[5])
if excess > 0 then
  local oldest = redis.call('ZPOPMIN', ALL, excess)
  for index = 1, #oldest, 2 do redis.call('DEL', ONE .. oldest[index]) end
end
return 1

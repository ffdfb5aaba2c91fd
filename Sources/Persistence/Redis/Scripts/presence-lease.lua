-- Renews an instance's lease by this server's clock.
--
-- ARGV[1]  the instance
-- ARGV[2]  how long the lease holds, in milliseconds
--
-- In a cluster it also derives keys again that an instance has not written for some seconds.
--
-- Returns whether the lease still held (1) or had ended or was unknown (0), how many other leases hold, then the instances
-- whose leases have ended.

local now = milliseconds()
local ends = redis.call('ZSCORE', P .. 'instances', ARGV[1])
redis.call('ZADD', P .. 'instances', now + tonumber(ARGV[2]), ARGV[1])
local alive = redis.call('ZCOUNT', P .. 'instances', now, '+inf')
local answer = { ends and tonumber(ends) >= now and 1 or 0, alive - (tonumber(ARGV[2]) > 0 and 1 or 0) }
for _, instance in ipairs(redis.call('ZRANGEBYSCORE', P .. 'instances', '-inf', now - 1)) do
  if instance ~= ARGV[1] then answer[#answer + 1] = instance end
end
if IS_CLUSTER then
  local time = microseconds()
  redis.call('ZREMRANGEBYSCORE', P .. 'written', '-inf', string.format('%.0f', time - 15000000))
  local overdue = string.format('%.0f', time - 5000000)
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', P .. 'unwritten', '-inf', overdue, 'LIMIT', 0, 200)) do
    deriveAgain(name)
  end
end
return reply(answer)

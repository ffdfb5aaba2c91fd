-- The instances whose leases hold, without the caller's.
--
-- ARGV[1]  the instance

local answer = {}
for _, instance in ipairs(redis.call('ZRANGEBYSCORE', P .. 'instances', milliseconds(), '+inf')) do
  if instance ~= ARGV[1] then answer[#answer + 1] = instance end
end
return answer

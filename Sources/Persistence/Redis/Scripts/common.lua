-- The prefix of every key that is the service's own, and this server's clock.
--
-- KEYS[1]  the prefix; in a cluster it has a hash tag, so that all these keys are in one slot
-- KEYS[2]  a key that does not exist, as the first does not: while Redis moves their slot it answers TRYAGAIN to a command with two
--          missing keys, before the script has begun

local P = KEYS[1]

local function milliseconds()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

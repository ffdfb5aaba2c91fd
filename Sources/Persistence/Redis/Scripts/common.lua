-- The prefix of every key that is the service's own, and this server's clock.

local P = 'chat-service:'

local function milliseconds()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

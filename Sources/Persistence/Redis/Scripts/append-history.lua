-- Adds messages just stored to a room's history list, where they go with what it holds.
--
-- KEYS[1]   chat:history:<roomId>
-- ARGV[1]   how many messages the list may hold
-- ARGV[2]   seconds until an untouched list expires
-- ARGV[3]   the number of the first message given
-- ARGV[4…]  messages as JSON, numbered on from there without holes
--
-- Returns 1 when the list holds them now, 0 when it was dropped (a number it holds belongs to another message), -1 when it
-- was dropped because it is not one of ours.

local key, first = KEYS[1], tonumber(ARGV[3])
local last = first + #ARGV - 4
local head, tail, foreign = ends(key)

local function push(command, from, to, step)
  for index = from, to, step do redis.call(command, key, ARGV[index]) end
end

if foreign then
  redis.call('DEL', key)
  return -1
end

if not tail or first == tail + 1 then
  push('RPUSH', 4, #ARGV, 1)
elseif first > tail + 1 then
  -- Others are missing between; what is new begins a list of its own.
  redis.call('DEL', key)
  push('RPUSH', 4, #ARGV, 1)
elseif last == head - 1 then
  -- Two instances stored one after the other, and the second was here first.
  push('LPUSH', #ARGV, 4, -1)
else
  -- Another reader of the store was faster; or numbers were given twice, as after a restored backup.
  local held = first >= head and message(redis.call('LINDEX', key, first - head))
  if not held or held.messageId ~= message(ARGV[4]).messageId then
    redis.call('DEL', key)
    return 0
  end
  push('RPUSH', 4 + tail - first + 1, #ARGV, 1)
end
redis.call('LTRIM', key, -tonumber(ARGV[1]), -1)
redis.call('EXPIRE', key, ARGV[2])
return 1

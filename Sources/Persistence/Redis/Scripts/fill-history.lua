-- Puts a room's newest messages, as the store has them, into its history list.
--
-- KEYS[1]   chat:history:<roomId>
-- ARGV[1]   how many messages the list may hold
-- ARGV[2]   seconds until an untouched list expires
-- ARGV[3]   the number of the first message given
-- ARGV[4…]  messages as JSON, numbered on from there without holes
--
-- Returns 1 when the list was written, 0 when it holds as much already or has got further without touching these.

local key, first = KEYS[1], tonumber(ARGV[3])
local last = first + #ARGV - 4
local head, tail = ends(key)

if tail and tail > last then
  -- It got further meanwhile: what is older than all it holds goes before it, if nothing is missing between.
  if head <= first or head > last + 1 then return 0 end
  for index = 4 + head - 1 - first, 4, -1 do redis.call('LPUSH', key, ARGV[index]) end
elseif tail == last and head <= first then
  return 0
else
  redis.call('DEL', key)
  for index = 4, #ARGV do redis.call('RPUSH', key, ARGV[index]) end
end
redis.call('LTRIM', key, -tonumber(ARGV[1]), -1)
redis.call('EXPIRE', key, ARGV[2])
return 1

-- Puts a room's newest messages, as the store has them, into its history list.
--
-- ARGV[1]   how many messages the list may hold
-- ARGV[2]   seconds until an untouched list expires
-- ARGV[3]   the number that the messages reach to: they hold every change up to it
-- ARGV[4…]  messages as JSON, all from the first one up to that number
--
-- Returns 1 when the list was written, 0 when it holds as much already or reaches further.

local last = tonumber(ARGV[3])
local held, length, foreign = state()

if foreign then
  drop()
elseif held and held > last or held == last and length > 0 then
  local head = length > 0 and message(redis.call('LINDEX', key, 0))
  -- Where the list begins no later than these end, no change came since: it would have removed the list. What is older than all it
  -- holds goes before it.
  if not head or head.seq > last + 1 or head.seq <= message(ARGV[4]).seq then return 0 end
  for index = #ARGV, 4, -1 do
    if message(ARGV[index]).seq < head.seq then redis.call('LPUSH', key, ARGV[index]) end
  end
  add(1, 0, held, ARGV[1], ARGV[2])
  return 1
end
redis.call('DEL', key)
add(4, #ARGV, last, ARGV[1], ARGV[2])
return 1

-- Adds a part of the room's log that was just stored to its history list, where it goes with what the list holds.
--
-- ARGV[1]   how many messages the list may hold
-- ARGV[2]   seconds until an untouched list expires
-- ARGV[3]   the number of the first entry of the part
-- ARGV[4]   the number of its last entry
-- ARGV[5…]  its messages as JSON
--
-- Returns 1 when the list holds them or is ahead of them, 0 when it was dropped (a number it holds belongs to another
-- message), -1 when it was dropped because it was not one of ours.

local first, last = tonumber(ARGV[3]), tonumber(ARGV[4])
local held, length, foreign = state()

if foreign then
  drop()
  return -1
end

local from = 5
if held and first > held + 1 then
  -- Others are missing between; what is new begins a list of its own.
  redis.call('DEL', key)
elseif held and first <= held and length == 0 then
  -- A change came after these.
  if last <= held then return 1 end
  while from <= #ARGV and message(ARGV[from]).seq <= held do from = from + 1 end
elseif held and first <= held then
  local head = message(redis.call('LINDEX', key, 0))
  if head and last == head.seq - 1 then
    -- Two instances stored one after the other, and the second was here first.
    for index = #ARGV, 5, -1 do redis.call('LPUSH', key, ARGV[index]) end
    add(1, 0, held, ARGV[1], ARGV[2])
    return 1
  end
  -- Another reader of the store was faster; or numbers were given twice, as after a restored backup.
  local given, known = message(ARGV[5]), nil
  for index = length - 1, 0, -1 do
    known = message(redis.call('LINDEX', key, index))
    if not known or known.seq <= given.seq then break end
  end
  if not known or known.messageId ~= given.messageId then
    redis.call('DEL', key)
    note(held, ARGV[2])
    return 0
  end
  while from <= #ARGV and message(ARGV[from]).seq <= held do from = from + 1 end
  last = math.max(last, held)
end
add(from, #ARGV, last, ARGV[1], ARGV[2])
return 1

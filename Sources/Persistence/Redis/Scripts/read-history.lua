-- Reads a range of a room's history list, all of it, or as much as makes a page.
--
-- KEYS[1]  chat:history:<roomId>
-- ARGV[1]  the number of the first message wanted
-- ARGV[2]  the number of the last; below the first for none
-- ARGV[3]  1 when the newest matter most where not all fit, else 0
-- ARGV[4]  how many bytes fit
--
-- Returns the number of the list's newest message; then, where the list holds the range, whether the page was full before all
-- of it was read (1 or 0), and the messages in order. -1 alone when the list is not one of ours; nothing when there is none.

local first, last, newest_first, left = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4])
local head, tail, foreign = ends(KEYS[1])
if foreign then return { -1 } end
if not tail then return false end
if first > last or first < head or last > tail then return { tail } end

-- A slice at a time: a thousand long messages are not brought here for the few that fit.
local slice = 32
local taken, full = {}, 0
local from, to = first - head, last - head
while from <= to and full == 0 do
  local entries
  if newest_first then
    entries = redis.call('LRANGE', KEYS[1], math.max(from, to - slice + 1), to)
    to = to - slice
  else
    entries = redis.call('LRANGE', KEYS[1], from, math.min(to, from + slice - 1))
    from = from + slice
  end
  local start, stop, step = 1, #entries, 1
  if newest_first then start, stop, step = #entries, 1, -1 end
  for index = start, stop, step do
    left = left - #entries[index]
    if left < 0 and #taken > 0 then
      full = 1
      break
    end
    taken[#taken + 1] = entries[index]
  end
end

local reply = { tail, full }
for index = 1, #taken do
  reply[index + 2] = newest_first and taken[#taken - index + 1] or taken[index]
end
return reply

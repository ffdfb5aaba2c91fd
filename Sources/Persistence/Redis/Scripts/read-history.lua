-- Reads messages of a room's history list: as many as are asked for, or as make a page.
--
-- ARGV[1]  the lowest number wanted
-- ARGV[2]  the highest; below the lowest for none
-- ARGV[3]  1 when the newest matter most where not all fit, else 0
-- ARGV[4]  how many messages are wanted at most
-- ARGV[5]  how many bytes fit
--
-- Returns the number the list reaches to and the number of its newest message; then, where the list holds what is wanted, whether
-- the page was full before all of it was read (1 or 0), and the messages in order. -1 alone when the list is not one of ours; nothing when there
-- is none.

local first, last, newest_first = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'
local limit, left = tonumber(ARGV[4]), tonumber(ARGV[5])
local held, length, foreign = state()
if foreign then return { -1 } end
if not held or length == 0 then return false end

local function at(index)
  return message(redis.call('LINDEX', key, index))
end

local newest, head = at(-1), at(0)
if not newest or not head then return { -1 } end
if first > last or limit < 1 then return { held, newest.seq, 0 } end
if not newest_first and first < head.seq then return { held, newest.seq } end

-- The first index whose message is numbered `wanted` or higher.
local function place(wanted)
  local low, high = 0, length
  while low < high do
    local middle = math.floor((low + high) / 2)
    local found = at(middle)
    if not found then return nil end
    if found.seq < wanted then low = middle + 1 else high = middle end
  end
  return low
end

local start, stop = place(first), place(last + 1)
if not start or not stop then return { -1 } end
local from, to = start, stop - 1
if newest_first then from = math.max(from, to - limit + 1) else to = math.min(to, from + limit - 1) end
-- What is older than the list's first message is not known here.
if newest_first and first < head.seq and to - from + 1 < limit then return { held, newest.seq } end

-- A slice at a time: a thousand long messages are not brought here for the few that fit.
local slice = 32
local taken, full = {}, 0
while from <= to and full == 0 do
  local entries
  if newest_first then
    entries = redis.call('LRANGE', key, math.max(from, to - slice + 1), to)
    to = to - slice
  else
    entries = redis.call('LRANGE', key, from, math.min(to, from + slice - 1))
    from = from + slice
  end
  local begin, finish, step = 1, #entries, 1
  if newest_first then begin, finish, step = #entries, 1, -1 end
  for index = begin, finish, step do
    left = left - #entries[index]
    if left < 0 and #taken > 0 then
      full = 1
      break
    end
    taken[#taken + 1] = entries[index]
  end
end

local reply = { held, newest.seq, full }
for index = 1, #taken do
  reply[index + 3] = newest_first and taken[#taken - index + 1] or taken[index]
end
return reply

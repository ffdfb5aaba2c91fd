-- Reads a range of a room's history list, all of it or nothing.
--
-- KEYS[1]  chat:history:<roomId>
-- ARGV[1]  the number of the first message wanted
-- ARGV[2]  the number of the last; below the first for none
--
-- Returns the number of the list's newest message, then the messages where the list holds all of them; -1 alone when the
-- list is not one of ours; nothing when there is none.

local first, last = tonumber(ARGV[1]), tonumber(ARGV[2])
local head, tail, foreign = ends(KEYS[1])
if foreign then return { -1 } end
if not tail then return false end
if first > last or first < head or last > tail then return { tail } end

local reply = redis.call('LRANGE', KEYS[1], first - head, last - head)
table.insert(reply, 1, tail)
return reply

-- Returns a kept session, and removes it.
--
-- ARGV[1]  the key
--
-- Returns the session, or nothing.

local kept = redis.call('HMGET', ONE .. ARGV[1], 'session', 'user', 'kept')
redis.call('DEL', ONE .. ARGV[1])
redis.call('ZREM', ALL, ARGV[1])
if not (kept[1] and kept[2] and kept[3]) then return false end
local forgotten = redis.call('GET', FORGOTTEN .. kept[2])
if forgotten and tonumber(kept[3]) <= tonumber(forgotten) then return false end
return kept[1]

-- Removes a room's history list because messages in it have changed, and keeps out what was read before the change.
--
-- ARGV[1]  seconds until that is forgotten
-- ARGV[2]  the number of the change

local held = state()
redis.call('DEL', key)
note(math.max(held or 0, tonumber(ARGV[2])), ARGV[1])
return 1

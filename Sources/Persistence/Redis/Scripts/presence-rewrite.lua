-- Derives the keys again that were written a short time ago: a server that failed may have lost them.
--
-- ARGV[1]  how many users and places in rooms at most
--
-- Returns how many there were.

local names = redis.call('ZREVRANGE', P .. 'written', 0, tonumber(ARGV[1]) - 1)
for _, name in ipairs(names) do deriveAgain(name) end
return reply(#names)

-- Keys that were derived are written. Derives those again that changed meanwhile.
--
-- ARGV  users, or rooms NUL users, each with the revision that is written

for index = 1, #ARGV, 2 do
  local name, revision = ARGV[index], tonumber(ARGV[index + 1])
  local noted = redis.call('ZSCORE', P .. 'unwritten', name)
  if noted and tonumber(noted) == revision then
    redis.call('ZREM', P .. 'unwritten', name)
    redis.call('ZADD', P .. 'written', string.format('%.0f', microseconds()), name)
  else
    -- An instance that has not confirmed its revision yet must find it still.
    if noted then NOTED[name] = tonumber(noted) end
    deriveAgain(name)
  end
end
return reply(0)

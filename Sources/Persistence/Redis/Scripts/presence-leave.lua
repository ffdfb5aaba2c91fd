-- Sessions that break off, or end for good. One that is not known is ignored. One that has moved to another instance belongs to that
-- one and stays.
--
-- ARGV[1]  the instance
-- then for each session:
--   the user
--   the session
--   lingering: its connection broke; removed: it ended
--   the time, in milliseconds
--   the same as ISO 8601

local instance = ARGV[1]
local own = P .. 'instance:' .. instance .. ':sessions'

local function isLastConnected(session, records)
  for other, record in pairs(records) do
    if other ~= session and not record.lingering then return false end
  end
  return true
end

local function leave(user, session, hasEnded, now, nowText)
  if hasEnded then redis.call('HDEL', own, session) end
  if redis.pcall('HEXISTS', P .. 'user:' .. user, session) == 0 then return end
  change(user, now, nowText, instance, function(records)
    local record = records[session]
    if not record or record.instance ~= instance then return {}, true end
    if not hasEnded and isLastConnected(session, records) then
      record.session = session
      record.lingering = true
      save(user, record)
      return {}, false
    end
    -- Where other sessions keep the user present, one that breaks off is removed with its requested status.
    records[session] = nil
    redis.call('HDEL', own, session)
    -- A lingering user was last seen when the connection broke.
    return { session }, hasEnded and record.lingering
  end)
end

for index = 2, #ARGV - 4, 5 do
  leave(ARGV[index], ARGV[index + 1], ARGV[index + 2] == 'removed', tonumber(ARGV[index + 3]), ARGV[index + 4])
end
return reply(1)

-- Adds a session, in place of one with the same id, on whichever instance that was.
--
-- ARGV[1]  the instance
-- ARGV[2]  the user
-- ARGV[3]  the session
-- ARGV[4]  its record as JSON: instance, username, userAgent, connectedAt, lastActiveAt, wish, idle, lingering
-- ARGV[5]  sessions the user may have, 0 for no limit; -1 when an instance that was cut off adds it again
-- ARGV[6]  the time, in milliseconds
-- ARGV[7]  the same as ISO 8601
--
-- Returns the session's wish, the user's presence, then id and record of each session that must give way, the oldest first.

local instance, user, session, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[5])
local answer, evicted = {}, {}

local stored = change(user, tonumber(ARGV[6]), ARGV[7], instance, function(records, standing)
  local record = cjson.decode(ARGV[4])
  local known = records[session]
  if known and known.instance ~= instance then
    if limit < 0 then
      answer[1] = known.wish
      return {}, true
    end
    redis.call('HDEL', P .. 'instance:' .. known.instance .. ':sessions', session)
  end
  records[session] = nil
  local others, live = deciding(records)
  if limit >= 0 then
    -- A hidden user stays hidden on a new device. A user who comes back after a break has the status of before.
    if known then
      record.wish = known.wish
    elseif live == 0 and #others > 0 then
      record.wish = others[#others].wish
    end
    for _, other in pairs(records) do
      if other.wish == 'invisible' then record.wish = 'invisible' end
    end
    for index = 1, limit > 0 and math.max(live + 1 - limit, 0) or 0 do
      local old = others[index]
      records[old.session] = nil
      redis.call('HDEL', P .. 'instance:' .. old.instance .. ':sessions', old.session)
      evicted[#evicted + 1] = old.session
      answer[#answer + 1] = old.session
      answer[#answer + 1] = cjson.encode(old)
    end
  end
  record.order = limit < 0 and known and known.order or redis.call('INCR', P .. 'order')
  record.session = session
  records[session] = record
  save(user, record)
  -- A device without a name has the user's id for one, which does not replace a name.
  if record.username ~= user then standing.name = record.username end
  redis.call('HSET', P .. 'instance:' .. instance .. ':sessions', session, user)
  table.insert(answer, 1, record.wish)
  return evicted, false
end)
table.insert(answer, 2, stored or '')
return reply(answer)

-- Removes a slice of the sessions and room places of a dead instance, and announces what changes by that.
--
-- ARGV[1]  the instance that sweeps
-- ARGV[2]  the dead one; nothing happens when its lease holds again
-- ARGV[3]  how many entries at most
-- ARGV[4]  the time, in milliseconds
-- ARGV[5]  the same as ISO 8601
--
-- Returns 1 when there may be more, 0 when nothing is left, -1 when the instance lives.

local dead, limit, now = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local ends = redis.call('ZSCORE', P .. 'instances', dead)
if ends and tonumber(ends) >= milliseconds() and dead ~= ARGV[1] then return reply(-1) end

local key = P .. 'instance:' .. dead .. ':sessions'
local sessions = redis.call('HRANDFIELD', key, limit, 'WITHVALUES')
for index = 1, #sessions, 2 do
  local session, user = sessions[index], sessions[index + 1]
  redis.call('HDEL', key, session)
  change(user, now, ARGV[5], ARGV[1], function(records)
    -- A session that has moved to another instance belongs to that one.
    if not records[session] or records[session].instance ~= dead then return {}, true end
    records[session] = nil
    return { session }, false
  end)
end
local rooms = P .. 'instance:' .. dead .. ':rooms'
for _, entry in ipairs(redis.call('SRANDMEMBER', rooms, limit)) do
  local split = string.find(entry, '\0', 1, true)
  if split then
    leaveRoom(dead, string.sub(entry, 1, split - 1), string.sub(entry, split + 1))
  else
    redis.call('SREM', rooms, entry)
  end
end
if redis.call('EXISTS', key, rooms) > 0 then return reply(1) end
if redis.call('ZREM', P .. 'instances', dead) == 1 then
  redis.call('PUBLISH', P .. 'presence:' .. DEPLOYMENT, cjson.encode({ kind = 'lost', instance = dead }))
end
return reply(0)

-- Shared by all presence scripts. Sessions are fields of one hash for each user, whose field '' holds the user's presence. Every
-- key that other services read is derived from them here, so that none outlives its reason. See derived-keys.lua for how these are
-- written.
--
--   chat-service:instances               sorted set: instance -> when its lease ends, in milliseconds of this server's clock
--   chat-service:instance:<id>:sessions  hash: session -> user
--   chat-service:instance:<id>:rooms     set: room NUL user
--   chat-service:users                   set: users with sessions
--   chat-service:online                  sorted set: users that others see online, in the order of their ids
--   chat-service:user:<userId>           hash: session -> record, '' -> presence
--   chat-service:order                   counter: orders sessions without the instances' clocks
--   chat-service:presence:<deployment>   channel: users' presence as it changes, and dead instances
--
-- In a cluster `{chat-service}` stands for `chat-service` in these names.

local LIFETIME = 3600
local RANK = { offline = 0, away = 1, online = 2, busy = 3, invisible = 4 }

local function visible(status)
  return status == 'invisible' and 'offline' or status
end

-- Foreign data in these keys must not make a script fail: it would be run again and fail again. So entries in another form are
-- ignored.
local function isNumber(value) return type(value) == 'number' and math.abs(value) <= 9007199254740991 end
local function isText(value) return type(value) == 'string' end

local function toRecord(value)
  if not (isText(value.instance) and isText(value.username) and RANK[value.wish] and isNumber(value.order)
      and isNumber(value.connectedAt) and isNumber(value.lastActiveAt)) then return nil end
  return {
    instance = value.instance, username = value.username, wish = value.wish, order = value.order,
    userAgent = isText(value.userAgent) and value.userAgent or nil, connectedAt = value.connectedAt,
    lastActiveAt = value.lastActiveAt, idle = value.idle == true, lingering = value.lingering == true,
  }
end

local function toStanding(value)
  if not (RANK[value.own] and isText(value.name) and isNumber(value.seen) and isText(value.seenText)
      and isNumber(value.sessions)) then return nil end
  return {
    own = value.own, name = value.name, seen = value.seen, seenText = value.seenText, sessions = value.sessions,
    version = isText(value.version) and value.version or nil,
  }
end

local function load(user)
  local key = P .. 'user:' .. user
  local records, standing, flat = {}, nil, redis.pcall('HGETALL', key)
  if flat.err then
    redis.call('DEL', key)
    return records
  end
  for index = 1, #flat, 2 do
    local ok, value = pcall(cjson.decode, flat[index + 1])
    if not ok or type(value) ~= 'table' then value = {} end
    if flat[index] == '' then standing = toStanding(value) else records[flat[index]] = toRecord(value) end
  end
  return records, standing
end

-- The sessions in the order they came; only the connected ones when there are any.
local function deciding(records)
  local live, all = {}, {}
  for session, record in pairs(records) do
    record.session = session
    all[#all + 1] = record
    if not record.lingering then live[#live + 1] = record end
  end
  local function earlier(a, b) return a.order < b.order end
  table.sort(all, earlier)
  table.sort(live, earlier)
  return #live > 0 and live or all, #live
end

local function status(sessions)
  local found = 'offline'
  for _, record in ipairs(sessions) do
    local own = record.idle and record.wish == 'online' and 'away' or record.wish
    if RANK[own] > RANK[found] then found = own end
  end
  return found
end

-- Of two statements about a user the one with the higher version is newer: by this server's clock, and also where that was set
-- back. It is a text, because JSON has numbers with 14 digits only here.
local function nextVersion(last)
  local time = redis.call('TIME')
  local known = tonumber(last or '')
  if not known or not (known >= 0 and known < 9007199254740991) then known = 0 end
  return string.format('%.0f', math.max(tonumber(time[1]) * 1000000 + tonumber(time[2]), known + 1))
end

local function save(user, record)
  local session = record.session
  record.session = nil
  redis.call('HSET', P .. 'user:' .. user, session, cjson.encode(record))
  record.session = session
end

local function derive(user, standing, sessions, records, removed)
  local last = sessions[#sessions]
  noteDerived(user)
  for _, session in ipairs(removed) do write('DEL', 'online:socket:user:' .. session) end
  if visible(standing.own) == 'offline' then
    for session in pairs(records) do write('DEL', 'online:socket:user:' .. session) end
    redis.call('ZREM', P .. 'online', user)
    write('SREM', 'online_users', user)
    write('SREM', 'online:users:set', user)
    for _, prefix in ipairs({ 'user:presence:', 'online:user:socket:', 'online:presence:' }) do
      write('DEL', prefix .. user)
    end
    return
  end
  redis.call('ZADD', P .. 'online', 0, user)
  write('SADD', 'online_users', user)
  write('SADD', 'online:users:set', user)
  local hash = 'user:presence:' .. user
  write('HSET', hash, 'status', standing.own, 'lastSeen', standing.seenText, 'socketId', last.session)
  write('EXPIRE', hash, LIFETIME)
  write('SET', 'online:user:socket:' .. user, last.session, 'EX', LIFETIME)
  write('SET', 'online:presence:' .. user, cjson.encode({
    userId = user, username = standing.name, status = standing.own, lastSeen = standing.seenText,
    socketId = last.session,
  }), 'EX', LIFETIME)
  for session, record in pairs(records) do
    if record.lingering then
      write('DEL', 'online:socket:user:' .. session)
    else
      write('SET', 'online:socket:user:' .. session, user, 'EX', LIFETIME)
    end
  end
end

-- Changes a user's sessions by `body(records, standing)`, which returns the sessions it removed and whether the user was not
-- seen by that. Then derives the keys and announces what changed. Returns the user's presence as it is stored; nil for a user
-- without a session.
local function change(user, now, nowText, origin, body)
  local records, before = load(user)
  local standing = before or { own = 'offline', name = user, seen = now, seenText = nowText, sessions = 0 }
  local was = {
    own = before and before.own or 'offline', name = standing.name, seen = standing.seen, sessions = standing.sessions,
  }
  local removed, unseen = body(records, standing)
  for _, session in ipairs(removed) do redis.call('HDEL', P .. 'user:' .. user, session) end
  local sessions, live = deciding(records)
  standing.own = status(sessions)
  standing.sessions = live
  local isSeen = visible(was.own) ~= 'offline' or visible(standing.own) ~= 'offline'
  if isSeen and not unseen and now > standing.seen then standing.seen, standing.seenText = now, nowText end
  standing.version = nextVersion(standing.version)
  local stored
  if #sessions == 0 then
    redis.call('DEL', P .. 'user:' .. user)
    redis.call('SREM', P .. 'users', user)
  else
    stored = cjson.encode(standing)
    redis.call('HSET', P .. 'user:' .. user, '', stored)
    redis.call('SADD', P .. 'users', user)
  end
  derive(user, standing, sessions, records, removed)
  if was.own ~= standing.own or was.name ~= standing.name or was.seen ~= standing.seen
    or was.sessions ~= standing.sessions then
    redis.call('PUBLISH', P .. 'presence:' .. DEPLOYMENT, cjson.encode({
      kind = 'changed', origin = origin, userId = user, username = standing.name, own = standing.own,
      lastSeen = standing.seen, sessions = standing.sessions, was = was.own, version = standing.version,
    }))
  end
  if visible(was.own) ~= visible(standing.own) then
    redis.call('PUBLISH', 'presence:updates', cjson.encode({
      userId = user, status = visible(standing.own), lastSeen = standing.seenText,
    }))
  end
  return stored
end

-- A user is in a room as long as any instance has a session of the user there.
local function deriveRoom(room, user)
  local place = room .. '\0' .. user
  local command = 'SREM'
  for _, instance in ipairs(redis.call('ZRANGE', P .. 'instances', 0, -1)) do
    if redis.call('SISMEMBER', P .. 'instance:' .. instance .. ':rooms', place) == 1 then
      command = 'SADD'
      break
    end
  end
  noteDerived(place)
  write(command, 'chat:room:' .. room .. ':users', user)
end

local function leaveRoom(instance, room, user)
  redis.call('SREM', P .. 'instance:' .. instance .. ':rooms', room .. '\0' .. user)
  deriveRoom(room, user)
end

-- The keys of a user, or of a user's place in a room, as they have to be now.
local function deriveAgain(name)
  local split = string.find(name, '\0', 1, true)
  if split then return deriveRoom(string.sub(name, 1, split - 1), string.sub(name, split + 1)) end
  local records, standing = load(name)
  if not standing then records, standing = {}, { own = 'offline' } end
  derive(name, standing, deciding(records), records, {})
end

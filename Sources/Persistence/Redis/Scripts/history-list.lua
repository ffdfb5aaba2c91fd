-- What the scripts over a room's history list share; it stands in front of each of them.
--
-- KEYS[1]  chat:history:<roomId>: messages as JSON as they are now, oldest first. Their numbers ("seq") have holes where changes are
-- KEYS[2]  how far the list reaches, and how many messages it has: it holds every message from its first one up to that number,
--          with every change up to it. It is kept without a list too, so that no late writer brings back what a change has
--          made of a message. The count tells of messages that something else has added or removed

local key, reach = KEYS[1], KEYS[2]
local maximum = 9007199254740991

local function number(text)
  local value = tonumber(text)
  -- A number of a room's log, which Redis can give back as an integer.
  return value and value % 1 == 0 and value >= 0 and value <= maximum and value or nil
end

local function message(entry)
  if type(entry) ~= 'string' then return nil end
  local ok, value = pcall(cjson.decode, entry)
  if not ok or type(value) ~= 'table' or type(value.seq) ~= 'number' then return nil end
  return value.seq > 0 and number(value.seq) and value or nil
end

-- The result of a command, nil where the key is of another type.
local function read(...)
  local result = redis.pcall(...)
  if type(result) == 'table' and result.err then
    -- An error for any other reason is raised by repeating the command.
    if not string.find(result.err, 'WRONGTYPE', 1, true) then redis.call(...) end
    return nil
  end
  return result
end

-- Notes how far the list reaches.
local function note(last, seconds)
  redis.call('SET', reach, string.format('%.0f %d', last, redis.call('LLEN', key)), 'EX', seconds)
end

local function drop()
  redis.call('DEL', key)
  redis.call('DEL', reach)
end

-- The number the list reaches to and how many messages it holds; nothing where neither is there. And a reason where it is not
-- one of ours: an instance of an earlier version has written to it, or something else has.
local function state()
  local length, text = read('LLEN', key), read('GET', reach)
  if not length or text == nil then return nil, nil, 'of another type' end
  if length == 0 and not text then return nil end
  local last, count = string.match(text or '', '^(%d+) (%d+)$')
  last = last and number(last)
  if not last then return nil, nil, 'without an end' end
  if tonumber(count) ~= length then return nil, nil, 'of another length' end
  if length > 0 then
    local newest = message(redis.call('LINDEX', key, -1))
    if not newest or newest.seq > last then return nil, nil, 'no message, or one too many' end
  end
  return last, length
end

-- Adds messages behind the list and notes how far it reaches now.
local function add(from, to, last, most, seconds)
  for index = from, to do redis.call('RPUSH', key, ARGV[index]) end
  redis.call('LTRIM', key, -tonumber(most), -1)
  redis.call('EXPIRE', key, seconds)
  note(last, seconds)
end

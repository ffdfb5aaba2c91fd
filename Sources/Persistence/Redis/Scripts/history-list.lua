-- What the scripts over a room's history list share; it stands in front of each of them.
--
-- The list holds messages as JSON, oldest first, with numbers ("seq") that have no holes.

local function message(entry)
  if type(entry) ~= 'string' then return nil end
  local ok, value = pcall(cjson.decode, entry)
  if not ok or type(value) ~= 'table' or type(value.seq) ~= 'number' then return nil end
  -- A message's number, which Redis can give back as an integer.
  if value.seq % 1 ~= 0 or value.seq < 1 or value.seq > 9007199254740991 then return nil end
  return value
end

-- The numbers of the list's first and last message. Nothing for no list; and a reason where it is not one of ours.
local function ends(key)
  local length = redis.pcall('LLEN', key)
  if type(length) ~= 'number' then
    -- An error for any other reason than the key's type is raised by repeating the call.
    if not string.find(length.err, 'WRONGTYPE', 1, true) then length = redis.call('LLEN', key) end
    return nil, nil, 'no list'
  end
  if length == 0 then return nil end
  local newest = message(redis.call('LINDEX', key, -1))
  if not newest then return nil, nil, 'no message' end
  return newest.seq - length + 1, newest.seq
end

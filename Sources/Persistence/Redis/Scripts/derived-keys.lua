-- How the keys that other services read are written.
--
-- On one server the script that derives them writes them itself. In a cluster they are in other slots, where no script reaches them
-- together with the sessions. So the script returns the commands, and the instance that ran it sends them. Two instances may send
-- theirs in the wrong order, or end before they have. So the script notes whose keys it derived, under a revision of its own. The instance
-- confirms that revision once its commands are done. When another revision is noted by then, or none, the keys are derived again.
-- An instance that renews its lease derives again what has not been confirmed for some seconds.
--
--   chat-service:unwritten  sorted set: user, or room NUL user -> revision, from the time in microseconds
--   chat-service:written    sorted set: the same, confirmed a short time ago -> when
--   chat-service:revision   the last revision

local BESIDE, NOTED = {}, {}

local function write(...)
  if IS_CLUSTER then BESIDE[#BESIDE + 1] = { ... } else redis.call(...) end
end

local function microseconds()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Twice in one script is one revision.
local function noteDerived(name)
  if not IS_CLUSTER or NOTED[name] then return end
  local last = tonumber(redis.call('GET', P .. 'revision') or 0) or 0
  local revision = math.max(microseconds(), last + 1)
  redis.call('SET', P .. 'revision', string.format('%.0f', revision))
  redis.call('ZADD', P .. 'unwritten', string.format('%.0f', revision), name)
  NOTED[name] = revision
end

-- What a script returns: in a cluster its answer, then whose keys it derived and under which revision, then the commands.
local function reply(answer)
  if not IS_CLUSTER then return answer end
  local noted = {}
  for name, revision in pairs(NOTED) do
    noted[#noted + 1] = name
    noted[#noted + 1] = string.format('%.0f', revision)
  end
  return { 'derived', answer, noted, BESIDE }
end

-- Shared by all recovery scripts. All keys have an expiry; times are in milliseconds of this server's clock.
--
--   chat-service:recovery                  sorted set: key -> until when it is kept
--   chat-service:recovery:<key>            hash: session (JSON), user, kept (when)
--   chat-service:recovery:forgotten:<user> string: what was kept of the user up to this moment is forgotten

local ALL = P .. 'recovery'
local ONE = ALL .. ':'
local FORGOTTEN = ONE .. 'forgotten:'

-- A user's first session in a room on this instance came, or the last one left.
--
-- ARGV[1]  the instance
-- ARGV[2]  the room
-- ARGV[3]  the user
-- ARGV[4]  1 for came, 0 for left

if ARGV[4] == '1' then
  local place = ARGV[2] .. '\0' .. ARGV[3]
  redis.call('SADD', P .. 'instance:' .. ARGV[1] .. ':rooms', place)
  noteDerived(place)
  write('SADD', 'chat:room:' .. ARGV[2] .. ':users', ARGV[3])
else
  leaveRoom(ARGV[1], ARGV[2], ARGV[3])
end
return reply(1)

-- Sessions of a user that are kept until now are not returned any more.
--
-- ARGV[1]  the user
-- ARGV[2]  how long sessions are kept, in milliseconds

redis.call('SET', FORGOTTEN .. ARGV[1], milliseconds(), 'PX', ARGV[2])
return 1

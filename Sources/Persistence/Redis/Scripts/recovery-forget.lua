-- What is kept of a user is not given out any more.
--
-- ARGV[1]  the user
-- ARGV[2]  how long sessions are kept, in milliseconds

redis.call('SET', FORGOTTEN .. ARGV[1], milliseconds(), 'PX', ARGV[2])
return 1

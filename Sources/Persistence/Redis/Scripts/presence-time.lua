-- The time of the server that has the users, as TIME answers it. In a cluster TIME itself would be answered by any node.

return redis.call('TIME')

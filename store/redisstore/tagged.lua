-- Returns the entries that may carry the tag of this index.
local now = redis.call('TIME')
return redis.call('ZRANGEBYSCORE', KEYS[1], now[1] * 1000, '+inf')

-- Notes that the entry ARGV[1] carries the tag of this index until the
-- millisecond ARGV[2]. GT, because a Save that is refused afterwards must not
-- make the index forget the entry before it expires. The index is there as long
-- as its longest-lived member.
local now = redis.call('TIME')
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now[1] * 1000)
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then
  redis.call('PEXPIREAT', KEYS[1], last[2])
end
return {}

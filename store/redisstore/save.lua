-- Writes the record ARGV[3] if the stored version is ARGV[1], '' for none.
-- ARGV[2] is the record's own version: if it is there already, this is the
-- second arrival of a Save whose first was answered and not heard.
-- ARGV[4] is the last millisecond in which the record is there.

-- Writes nothing, but fails as a write does: a server that may not write, such
-- as a master that was replaced, must not say what conflicts either.
redis.call('SETRANGE', KEYS[1], 0, '')

local now = redis.call('TIME')
local stored = redis.call('GETRANGE', KEYS[1], 1, 8)
local outcome = 'saved'
if stored ~= ARGV[2] then
  if tonumber(ARGV[4]) < now[1] * 1000 + math.floor(now[2] / 1000) then
    outcome = 'expired'
  elseif stored ~= ARGV[1] then
    outcome = 'conflict'
  else
    -- First, because it may be forbidden, and then nothing must be written.
    redis.call('PUBLISH', 'easyauth:changed:' .. KEYS[1], '')
    redis.call('SET', KEYS[1], ARGV[3], 'PXAT', ARGV[4])
  end
end
return {outcome, now[1], now[2]}

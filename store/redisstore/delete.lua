-- Removes the key and tells who watches it.
redis.call('PUBLISH', 'easyauth:changed:' .. KEYS[1], '')
return {redis.call('DEL', KEYS[1])}

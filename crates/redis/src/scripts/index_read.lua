-- Gives back the server's time in milliseconds and the sessions in an owner's index.
-- KEYS: the index.
local time = redis.call('TIME')
return { time[1] * 1000 + math.floor(time[2] / 1000), redis.call('ZRANGE', KEYS[1], 0, -1) }

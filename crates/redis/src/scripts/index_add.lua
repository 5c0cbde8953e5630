-- Puts a session into its owner's index, which lives at least as long as the session may. KEYS: the index.
-- ARGV: the session, how long it may live. Gives back whether it is new there, and how many there are.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local added = redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return { added, redis.call('ZCARD', KEYS[1]) }

-- Keeps a new session, unless its id is taken. Says whether it did.
-- KEYS: the session. ARGV: how long the key lives, and the fields with their values.
if redis.call('EXISTS', KEYS[1]) == 1 then
    return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1

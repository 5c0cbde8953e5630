-- Removes a session if it is this owner's. Says whether it did.
-- KEYS: the session. ARGV: the owner.
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0

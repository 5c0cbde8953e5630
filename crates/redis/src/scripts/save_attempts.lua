-- Replaces what is known of attempts if it has the version that is expected; 0 is for none, or one that has expired.
-- Says whether it did. KEYS: the attempts. ARGV: the expected version, now, how long the key lives, and the fields with
-- their values.
local stored = redis.call('HMGET', KEYS[1], 'version', 'expires_at')
if ARGV[1] == '0' then
    if stored[1] and tonumber(stored[2]) > tonumber(ARGV[2]) then
        return 0
    end
elseif stored[1] ~= ARGV[1] then
    return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1

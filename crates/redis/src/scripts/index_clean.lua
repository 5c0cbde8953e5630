-- Takes sessions out of an owner's index, but for those that were put there after a moment.
-- KEYS: the index. ARGV: the moment, the sessions.
for at = 2, #ARGV do
    local put = redis.call('ZSCORE', KEYS[1], ARGV[at])
    if put and tonumber(put) <= tonumber(ARGV[1]) then
        redis.call('ZREM', KEYS[1], ARGV[at])
    end
end
return 1

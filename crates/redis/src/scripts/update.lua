-- Replaces a session if it has the version that is expected and is alive at `now`. KEYS: the session. ARGV:
-- the expected version, now, the grace, whether the owner's index has the session, the new owner (empty for
-- none), last_seen_at, idle_timeout and absolute_deadline; how many arguments the other fields with their
-- values are, these, and the fields that are absent.
local expected, now, grace, indexed, owner = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local new_seen, new_idle, new_absolute = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local set = tonumber(ARGV[9])
local stored = redis.call('HMGET', KEYS[1],
    'version', 'last_seen_at', 'idle_timeout', 'absolute_deadline', 'owner')
if not stored[1] then
    return 'gone'
end
local seen, absolute = tonumber(stored[2]), tonumber(stored[4])
if now >= seen + tonumber(stored[3]) or now >= absolute then
    return 'gone'
end
if stored[1] ~= expected then
    return 'stale'
end
if indexed == '0' and (stored[5] ~= owner or new_absolute > absolute) then
    return 'unindexed'
end
local later = math.max(seen, new_seen)
-- First, since what is refused when the memory is full is the first write of a script alone.
redis.call('HSET', KEYS[1], 'last_seen_at', string.format('%.0f', later),
    'idle_timeout', ARGV[7], 'absolute_deadline', ARGV[8], unpack(ARGV, 10, 9 + set))
if #ARGV > 9 + set then
    redis.call('HDEL', KEYS[1], unpack(ARGV, 10 + set))
end
local left = math.max(math.min(later + new_idle, new_absolute) - now, 0)
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left + grace))
return 'saved'

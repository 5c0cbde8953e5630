-- Replaces an Express session if it is still what was seen. KEYS: the session. ARGV: what was seen, what is to be
-- there instead, and how many seconds it lives.
local stored = redis.call('GET', KEYS[1])
if not stored then
    return 'gone'
end
if stored ~= ARGV[1] then
    return 'stale'
end
if tonumber(ARGV[3]) > 0 then
    redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
else
    redis.call('DEL', KEYS[1])
end
return 'done'

-- Removes an Express session if it is still what was seen. KEYS: the session. ARGV: what was seen.
local stored = redis.call('GET', KEYS[1])
if not stored then
    return 'gone'
end
if stored ~= ARGV[1] then
    return 'stale'
end
redis.call('DEL', KEYS[1])
return 'done'

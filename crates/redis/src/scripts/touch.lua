-- Gives back a session, slid to `now` if it is alive then and its current bearer is the one who asks.
-- KEYS: the session. ARGV: now, the hash of the bearer's secret, the grace, and the fields to give back.
local now, bearer, grace = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local stored = redis.call('HMGET', KEYS[1],
    'secret_hash', 'last_seen_at', 'idle_timeout', 'absolute_deadline')
if stored[1] == bearer then
    local seen, idle, absolute = tonumber(stored[2]), tonumber(stored[3]), tonumber(stored[4])
    local is_whole = seen and idle and absolute
    if is_whole and now > seen and now < seen + idle and now < absolute then
        local slid = redis.pcall('HSET', KEYS[1], 'last_seen_at', ARGV[1])
        if type(slid) ~= 'table' then
            local left = math.min(now + idle, absolute) - now
            redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left + grace))
        elseif not string.find(slid.err, 'OOM', 1, true) and not string.find(slid.err, 'MISCONF', 1, true) then
            -- With the memory or the disk full sessions are not prolonged, yet they can be read.
            return slid
        end
    end
end
return redis.call('HMGET', KEYS[1], unpack(ARGV, 4))

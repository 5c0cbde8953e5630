-- Gives back a session, slid to `now` if that is due, it is alive then, and its current bearer is the one who asks.
-- KEYS: the session. ARGV: now, the latest last_seen_at from which a slide is due, the hash of the bearer's secret, the
-- grace, and the fields to give back: secret_hash, last_seen_at, idle_timeout, absolute_deadline, and others.
local now, latest_due, bearer, grace = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local session = redis.call('HMGET', KEYS[1], unpack(ARGV, 5))
if session[1] == bearer then
    local seen, idle, absolute = tonumber(session[2]), tonumber(session[3]), tonumber(session[4])
    local is_whole = seen and idle and absolute
    if is_whole and seen <= latest_due and now < seen + idle and now < absolute then
        local slid = redis.pcall('HSET', KEYS[1], 'last_seen_at', ARGV[1])
        if type(slid) ~= 'table' then
            local left = math.min(now + idle, absolute) - now
            redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left + grace))
            session[2] = ARGV[1]
        elseif not string.find(slid.err, 'OOM', 1, true) and not string.find(slid.err, 'MISCONF', 1, true) then
            -- With the memory or the disk full sessions are not prolonged, yet they can be read.
            return slid
        end
    end
end
return session

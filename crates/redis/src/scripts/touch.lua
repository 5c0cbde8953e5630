-- Gives back a session, slid to `now` if that is due, it is alive then, and its current bearer is the one who asks: its
-- record, last_seen_at, and data. KEYS: the session. ARGV: now, the latest last_seen_at from which a slide is due, the hash
-- of the bearer's secret, the grace.
local now, latest_due, bearer, grace = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local session = redis.call('HMGET', KEYS[1],
    'record', 'last_seen_at', 'data', 'secret_hash', 'idle_timeout', 'absolute_deadline')
local record, last_seen_at, data = unpack(session, 1, 3)
if session[4] == bearer then
    local seen, idle, absolute = tonumber(last_seen_at), tonumber(session[5]), tonumber(session[6])
    local is_whole = seen and idle and absolute
    if is_whole and seen <= latest_due and now < seen + idle and now < absolute then
        local slid = redis.pcall('HSET', KEYS[1], 'last_seen_at', ARGV[1])
        if type(slid) ~= 'table' then
            local left = math.min(now + idle, absolute) - now
            redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left + grace))
            last_seen_at = ARGV[1]
        elseif not string.find(slid.err, 'OOM', 1, true) and not string.find(slid.err, 'MISCONF', 1, true) then
            -- With the memory or the disk full sessions are not prolonged, yet they can be read.
            return slid
        end
    end
end
return { record, last_seen_at, data }

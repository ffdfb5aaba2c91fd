-- Requests of pages of a history for wrk, which `benchmarks/history.py` starts: PATH, the messages of the room, and the tag of the newest page
-- where that is asked for again and again. Prints a line of JSON at the end.
local path, count, tag

function init(arguments)
    path, count, tag = arguments[1], tonumber(arguments[2]), arguments[3]
    math.randomseed(7)
end

function request()
    if tag then
        return wrk.format("GET", path .. "?limit=50", { ["If-None-Match"] = tag })
    end
    return wrk.format("GET", path .. "?limit=50&before=" .. math.random(51, count))
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format(
        '{"requests": %d, "seconds": %.3f, "p50": %.4f, "p99": %.4f, "bytes": %d, "failed": %d}',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, summary.bytes,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end

-- What wrk asks for, and one line of plain numbers for load.py instead of rounded text.
--
-- arguments: nothing             the path of the URL, over and over
--            paths DEPTH PATH... these in turn, DEPTH of them at once (pipelined)
--            zipf SEED COUNT     files.many_path() of ranks 1 to COUNT, the first most often

local function ask_in_turn(depth, paths)
    local batches = {}
    for first = 1, #paths do
        local parts = {}
        for i = 0, depth - 1 do
            parts[#parts + 1] = wrk.format(nil, paths[(first - 1 + i) % #paths + 1])
        end
        batches[first] = table.concat(parts)
    end
    local next_one = 0
    request = function()
        next_one = next_one % #batches + 1
        return batches[next_one]
    end
end

-- A rank r is drawn with a likelihood of about 1 / r: the logarithm of the rank is evenly spread.
local function ask_by_rank(seed, count)
    local requests = {}
    math.randomseed(seed)
    request = function()
        local rank = math.floor((count + 1) ^ math.random())
        if not requests[rank] then
            local path = string.format("/many/%02d/%06d.txt", rank % 100, rank)
            requests[rank] = wrk.format(nil, path)
        end
        return requests[rank]
    end
end

init = function(arguments)
    if arguments[1] == "paths" then
        ask_in_turn(tonumber(arguments[2]), { unpack(arguments, 3) })
    elseif arguments[1] == "zipf" then
        ask_by_rank(tonumber(arguments[2]), tonumber(arguments[3]))
    end
end

done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format("figures %d %d %d %d %d %d\n", summary.duration, summary.requests,
        summary.bytes, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end

-- Prints what bench.py reads: one line of plain numbers instead of rounded text.
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format("figures %d %d %d %d %d %d\n", summary.duration, summary.requests,
        summary.bytes, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end

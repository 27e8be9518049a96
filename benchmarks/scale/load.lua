-- For wrk: asks the targets of a file in turns (an address, a tab, an Authorization header or
-- nothing), and tells in one line of JSON what came of it.

local requests, turn = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local address, authorization = line:match("^([^\t]*)\t(.*)$")
    local headers = { Host = wrk.headers["Host"] }
    if authorization ~= "" then headers["Authorization"] = authorization end
    table.insert(requests, wrk.format("GET", address, headers))
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "errors": %d, "p50": %.3f, "p95": %.3f, "p99": %.3f}\n',
    summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end

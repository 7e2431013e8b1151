-- Send the requests of a file in turn. Each line of the file is a method, a path and a body, separated by tabs. The
-- headers come from the command line.
local requests, turn = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local method, path, body = line:match("^([^\t]+)\t([^\t]+)\t(.*)$")
    requests[#requests + 1] = wrk.format(method, path, nil, body ~= "" and body or nil)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('{"requests": %d, "microseconds": %d, "p50": %f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), errors.status, broken))
end

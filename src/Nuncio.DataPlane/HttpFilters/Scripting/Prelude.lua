-- What scripts find: the stream handle of Envoy's Lua filter, and Lua 5.1 as far as scripts can tell.
-- "host" works at once and returns a value, or nil and a message; what has to wait yields to the proxy.
local host, max_instructions = ...
local yield, create, resume, status = coroutine.yield, coroutine.create, coroutine.resume, coroutine.status
local sethook, raw_error, raw_type, raw_tostring, mtype = debug.sethook, error, type, tostring, math.type
local raw_load, floor, raw_format = load, math.floor, string.format
local running, raw_pcall, raw_setmetatable = coroutine.running, pcall, setmetatable
local step = 1000

local function call(op, ...)
  local value, message = host(op, ...)
  if message then raw_error(message, 3) end
  return value
end

local function wait(op, ...)
  local value, message = yield(op, ...)
  if message then raw_error(message, 3) end
  return value
end

-- ---- limits ----
local too_much = 'the script takes too many instructions'
-- A run and what it begins share one budget: else coroutines in coroutines have no limit together.
local budgets = setmetatable({}, { __mode = 'k' })
-- The coroutines that the proxy resumes.
local runs = setmetatable({}, { __mode = 'k' })

local function guard(thread, budget)
  -- What is counted in steps is paid for one step in advance, so that many short coroutines are no way around the limit.
  budget.left = budget.left - step
  if budget.left <= 0 then raw_error(too_much, 0) end
  budgets[thread] = budget
  sethook(thread, function()
    budget.left = budget.left - step
    -- What C does in one instruction, such as a search in a long string, is seen by the clock only.
    if budget.left > 0 and host('late') then budget.left = 0 end
    if budget.left <= 0 then
      -- From now on every instruction fails: pcall must not be a way around the limit.
      sethook(thread, function() raw_error(too_much, 0) end, '', 1)
      raw_error(too_much, 0)
    end
  end, '', step)
  return thread
end

local function child(f)
  return guard(create(f), budgets[running()] or { left = max_instructions })
end

-- ---- Lua 5.1 ----
tostring = function(value)
  if mtype(value) == 'float' and value == floor(value) and value > -1e15 and value < 1e15 then return raw_format('%d', value) end
  return raw_tostring(value)
end
string.format = function(format, ...)
  local arguments, i = table.pack(...), 0
  for flags, kind in string.gmatch(format, '%%([%-%+ #0%d%.]*)(%a?%%?)') do
    if kind ~= '%' then
      i = i + 1
      if string.find(kind, '^[dixXouc]') and mtype(arguments[i]) == 'float' then arguments[i] = math.tointeger(floor(arguments[i])) or arguments[i] end
      if kind == 's' and mtype(arguments[i]) == 'float' then arguments[i] = tostring(arguments[i]) end
    end
  end
  return raw_format(format, table.unpack(arguments, 1, arguments.n))
end
unpack = table.unpack
table.getn = function(t) return #t end
table.maxn = function(t)
  local most = 0
  for key in pairs(t) do if mtype(key) and key > most then most = key end end
  return most
end
table.foreach = function(t, f) for k, v in pairs(t) do local r = f(k, v) if r ~= nil then return r end end end
table.foreachi = function(t, f) for i, v in ipairs(t) do local r = f(i, v) if r ~= nil then return r end end end
math.pow = function(x, y) return x ^ y end
math.mod = math.fmod
math.log10 = function(x) return math.log(x, 10) end
math.ldexp = function(m, e) return m * 2.0 ^ e end
math.cosh = function(x) return (math.exp(x) + math.exp(-x)) / 2 end
math.sinh = function(x) return (math.exp(x) - math.exp(-x)) / 2 end
math.tanh = function(x) local a, b = math.exp(x), math.exp(-x) return (a - b) / (a + b) end
string.gfind = string.gmatch
load = function(chunk, name, _, env)
  if env == nil then return raw_load(chunk, name, 't') end
  return raw_load(chunk, name, 't', env)
end
loadstring = function(text, name) return raw_load(text, name, 't') end
local function to32(n) n = n & 0xffffffff if n > 0x7fffffff then n = n - 0x100000000 end return n end
local function int(n) return math.tointeger(floor(n)) end
bit = {
  tobit = function(a) return to32(int(a)) end,
  bnot = function(a) return to32(~int(a)) end,
  band = function(a, ...) a = int(a) for _, b in ipairs({...}) do a = a & int(b) end return to32(a) end,
  bor = function(a, ...) a = int(a) for _, b in ipairs({...}) do a = a | int(b) end return to32(a) end,
  bxor = function(a, ...) a = int(a) for _, b in ipairs({...}) do a = a ~ int(b) end return to32(a) end,
  lshift = function(a, n) return to32(int(a) << (int(n) & 31)) end,
  rshift = function(a, n) return to32((int(a) & 0xffffffff) >> (int(n) & 31)) end,
  arshift = function(a, n) return to32(to32(int(a)) >> (int(n) & 31) | (to32(int(a)) < 0 and ~(0xffffffff >> (int(n) & 31)) or 0)) end,
  tohex = function(a) return raw_format('%08x', int(a) & 0xffffffff) end,
}
coroutine.create = child
coroutine.wrap = function(f)
  local thread = child(f)
  return function(...)
    local results = table.pack(resume(thread, ...))
    if not results[1] then raw_error(results[2], 0) end
    return table.unpack(results, 2, results.n)
  end
end
-- As in 5.1; what it runs when it closes a coroutine that was stopped would run without a limit.
coroutine.close = nil
coroutine.yield = function(...)
  if runs[running()] then raw_error('attempt to yield outside a coroutine', 2) end
  return yield(...)
end
-- Lua calls a handler inside of the hook that stops a script, where no other hook stops the handler.
xpcall = function(f, handler, ...)
  local results = table.pack(raw_pcall(f, ...))
  if results[1] then return table.unpack(results, 1, results.n) end
  return false, handler(results[2])
end
-- Tables have no finalizers in 5.1; here they would run without hooks, and so without a limit.
setmetatable = function(t, meta)
  if raw_type(meta) ~= 'table' then return raw_setmetatable(t, meta) end
  local finalizer = rawget(meta, '__gc')
  if finalizer == nil then return raw_setmetatable(t, meta) end
  rawset(meta, '__gc', nil)
  local done, message = raw_pcall(raw_setmetatable, t, meta)
  rawset(meta, '__gc', finalizer)
  if not done then raw_error(message, 2) end
  return t
end
os = { time = os.time, clock = os.clock, date = os.date, difftime = os.difftime }
io, package, require, dofile, loadfile, debug, collectgarbage, warn = nil, nil, nil, nil, nil, nil, nil, nil
string.dump = nil
print = function(...)
  local parts = {}
  for i = 1, select('#', ...) do parts[i] = tostring((select(i, ...))) end
  host('log', 2, table.concat(parts, '\t'))
end

-- ---- the stream handle ----
local function text(value)
  if value == nil then return nil end
  return tostring(value)
end

-- As in Envoy, headers that were got before the script waited are of no use afterwards; it asks the handle for them again.
local function headers_of(which, life)
  local headers, era = {}, life.era
  local function use(op, ...)
    if era ~= life.era then raw_error('object used outside of proper scope', 3) end
    return call(op, which, ...)
  end
  function headers:get(name) return use('get', text(name), 0) end
  function headers:getAtIndex(name, index) return use('get', text(name), int(index)) end
  function headers:getNumValues(name) return use('count', text(name)) end
  function headers:add(name, value) use('add', text(name), text(value)) end
  function headers:replace(name, value) use('replace', text(name), text(value)) end
  function headers:remove(name) use('remove', text(name)) end
  function headers:setHttp1ReasonPhrase() end
  return setmetatable(headers, {
    __pairs = function()
      local i = -1
      return function()
        i = i + 1
        local name = host('name', which, i)
        if name == nil then return nil end
        return name, host('value', which, i)
      end
    end,
  })
end

local function buffer_of(which)
  local buffer = {}
  function buffer:length() return call('length', which) end
  function buffer:getBytes(index, length) return call('bytes', which, int(index), int(length)) end
  function buffer:setBytes(value) return call('setbytes', which, text(value)) end
  return buffer
end

local function flat(headers)
  local list = {}
  for name, value in pairs(headers or {}) do
    if raw_type(value) == 'table' then
      for _, each in ipairs(value) do list[#list + 1] = text(name) list[#list + 1] = text(each) end
    else
      list[#list + 1] = text(name)
      list[#list + 1] = text(value)
    end
  end
  return list
end

-- A tree of the proxy's, which comes as a constructor.
local function tree(op, ...)
  local literal = host(op, ...)
  if literal == nil then return nil end
  return raw_load('return ' .. literal, '=value', 't', {})()
end

local function quote(value)
  return '"' .. string.gsub(value, '[%c"\\]', function(c) return raw_format('\\u%04x', string.byte(c)) end) .. '"'
end

local function json(value, depth)
  local kind = raw_type(value)
  if kind == 'string' then return quote(value) end
  if kind == 'boolean' then return value and 'true' or 'false' end
  if kind == 'number' then
    if value ~= value or value == math.huge or value == -math.huge then raw_error('a number that is none cannot be dynamic metadata', 4) end
    return mtype(value) == 'float' and raw_format('%.17g', value) or raw_format('%d', value)
  end
  if kind ~= 'table' or depth > 20 then raw_error('a ' .. kind .. ' cannot be dynamic metadata', 4) end
  local parts = {}
  if #value > 0 then
    for _, each in ipairs(value) do parts[#parts + 1] = json(each, depth + 1) end
    return '[' .. table.concat(parts, ',') .. ']'
  end
  for key, each in pairs(value) do parts[#parts + 1] = quote(text(key)) .. ':' .. json(each, depth + 1) end
  return '{' .. table.concat(parts, ',') .. '}'
end

local function read_only(values)
  values = values or {}
  return setmetatable({ get = function(_, key) return values[key] end }, { __pairs = function() return next, values, nil end })
end

local function handle_of(which)
  local handle, life = {}, { era = 0 }
  local metadata = setmetatable({
    get = function(_, filter) return tree('dynamic', text(filter)) end,
    set = function(_, filter, key, value)
      -- Envoy writes nothing for nil.
      if value ~= nil then call('setdynamic', text(filter), text(key), json(value, 0)) end
    end,
  }, { __pairs = function() return next, tree('spaces') or {}, nil end })
  function handle:headers()
    if life.headers_era ~= life.era then life.headers, life.headers_era = headers_of(which, life), life.era end
    return life.headers
  end
  function handle:body(always)
    local found = wait('body', which, always and true or false)
    -- What has no body, or is here already, is not waited for.
    if found and not life.has_body then life.era, life.has_body = life.era + 1, true end
    if not found then return nil end
    return buffer_of(which)
  end
  function handle:bodyChunks()
    local done = false
    return function()
      if done then return nil end
      done = true
      if not wait('body', which, false) then return nil end
      return buffer_of(which)
    end
  end
  function handle:trailers()
    if not call('hastrailers', which) then return nil end
    return headers_of(which .. 'trailers', life)
  end
  function handle:logTrace(message) host('log', 0, text(message)) end
  function handle:logDebug(message) host('log', 1, text(message)) end
  function handle:logInfo(message) host('log', 2, text(message)) end
  function handle:logWarn(message) host('log', 3, text(message)) end
  function handle:logErr(message) host('log', 4, text(message)) end
  function handle:logCritical(message) host('log', 5, text(message)) end
  function handle:httpCall(cluster, request, body, timeout, options)
    local asynchronous = options == true or (raw_type(options) == 'table' and options.asynchronous == true)
    local list = flat(request)
    if asynchronous then call('callasync', text(cluster), text(body) or '', int(timeout), table.unpack(list)) return end
    wait('call', text(cluster), text(body) or '', int(timeout), table.unpack(list))
    life.era = life.era + 1
    local answer = {}
    for i = 0, host('answercount') - 1 do
      local name, value = host('answername', i), host('answervalue', i)
      if answer[name] == nil then answer[name] = value
      else answer[name] = answer[name] .. ',' .. value end
    end
    return answer, host('answerbody')
  end
  function handle:respond(answer, body)
    wait('respond', which, text(body) or '', table.unpack(flat(answer)))
  end
  function handle:metadata() return read_only(tree('metadata')) end
  function handle:filterContext() return read_only(tree('context')) end
  function handle:importPublicKey(key, length)
    local der = string.sub(text(key), 1, int(length))
    local usable = host('importkey', der)
    return { get = function() return usable and der or '' end }
  end
  function handle:verifySignature(hash, key, signature, signature_length, data, data_length)
    local der = raw_type(key) == 'table' and key:get() or text(key)
    local answer = host('verify', text(hash), der, string.sub(text(signature), 1, int(signature_length)), string.sub(text(data), 1, int(data_length)))
    if answer == true then return true, '' end
    return false, answer
  end
  function handle:streamInfo()
    local info = {}
    for _, name in ipairs({ 'protocol', 'routeName', 'downstreamLocalAddress', 'downstreamDirectRemoteAddress', 'downstreamRemoteAddress',
                            'requestedServerName', 'virtualClusterName', 'attemptCount', 'responseCodeDetails' }) do
      info[name] = function() return host('info', name) end
    end
    function info:dynamicMetadata() return metadata end
    function info:dynamicTypedMetadata() return nil end
    function info:filterState() return { get = function() return nil end } end
    function info:drainConnectionUponCompletion() host('info', 'drainConnectionUponCompletion') end
    function info:downstreamSslConnection() return handle:connection():ssl() end
    return info
  end
  function handle:connection()
    return {
      ssl = function()
        if not host('info', 'isTls') then return nil end
        local ssl = {}
        for _, name in ipairs({ 'peerCertificatePresented', 'peerCertificateValidated', 'subjectPeerCertificate', 'issuerPeerCertificate',
                                'serialNumberPeerCertificate', 'sha256PeerCertificateDigest', 'tlsVersion', 'ciphersuiteString',
                                'urlEncodedPemEncodedPeerCertificate', 'validFromPeerCertificate', 'expirationPeerCertificate' }) do
          ssl[name] = function() return host('info', name) end
        end
        return ssl
      end,
    }
  end
  function handle:base64Escape(value) return host('base64', text(value)) end
  function handle:timestamp() return host('time') end
  function handle:timestampString() return tostring(host('time')) end
  function handle:clearRouteCache() host('clearroute') end
  return handle
end

local get_g = _G

local function run(f)
  local thread = guard(create(f), { left = max_instructions })
  runs[thread] = true
  return thread
end

local function start(function_name, which)
  local f = get_g[function_name]
  if raw_type(f) ~= 'function' then return nil end
  return run(function() f(handle_of(which)) end)
end

-- Raises why the script does not load.
local function load_script(script)
  local chunk, problem = raw_load(script, '=script', 't')
  if not chunk then raw_error(problem, 0) end
  local done, message = resume(run(chunk))
  if not done then raw_error(message, 0) end
end

return start, load_script

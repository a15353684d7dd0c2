-- ---- the stream handle of Envoy's Lua filter ----
EnvoyTimestampResolution = { MILLISECOND = 0, MICROSECOND = 1 }

-- What an object of the proxy's knows; scripts cannot get at it.
local of = raw_setmetatable({}, { __mode = 'k' })

local function text(value, index)
  local kind = raw_type(value)
  if kind == 'string' then return value end
  if kind == 'number' then return number_text(value) end
  raw_error('bad argument #' .. index .. ' (string expected, got ' .. kind .. ')', 3)
end

local function optional(value, index)
  if value == nil then return nil end
  return text(value, index)
end

local function integer(value, index)
  local number = whole(tonumber(value))
  if mtype(number) ~= 'integer' then raw_error('bad argument #' .. index .. ' (number expected, got ' .. raw_type(value) .. ')', 3) end
  return number
end

local function kind_of_object(methods, iterate)
  for level, name in ipairs({ 'logTrace', 'logDebug', 'logInfo', 'logWarn', 'logErr', 'logCritical' }) do
    methods[name] = function(_, message) host('log', level - 1, text(message, 2)) end
  end
  local meta = { __index = methods, __pairs = iterate, __metatable = false }
  return function(state)
    local object = raw_setmetatable({}, meta)
    of[object] = state
    return object
  end
end

-- A tree of the proxy's, which comes as a constructor.
local function tree(op, ...)
  local literal = host(op, ...)
  if literal == nil then return nil end
  return raw_load('return ' .. literal, '=value', 't', {})()
end

local values_of = kind_of_object({ get = function(self, key) return of[self][key] end }, function(self) return next, of[self], nil end)

-- As in Envoy, headers that were got before the script waited are of no use afterwards; it asks the handle for them again.
local function use(self, op, ...)
  local state = of[self]
  if state == nil or state.era ~= state.life.era then raw_error('object used outside of proper scope', 3) end
  local value, message = host(op, state.which, ...)
  if message then raw_error(message, 3) end
  return value
end
local headers_of = kind_of_object({
  get = function(self, name) return use(self, 'get', text(name, 2)) end,
  getAtIndex = function(self, name, index) return use(self, 'getat', text(name, 2), integer(index, 3)) end,
  getNumValues = function(self, name) return use(self, 'count', text(name, 2)) end,
  add = function(self, name, value) use(self, 'add', text(name, 2), text(value, 3)) end,
  replace = function(self, name, value) use(self, 'replace', text(name, 2), text(value, 3)) end,
  remove = function(self, name) use(self, 'remove', text(name, 2)) end,
  setHttp1ReasonPhrase = function(self, phrase) use(self, 'reason', text(phrase, 2)) end,
}, function(self)
  local i = -1
  return function()
    i = i + 1
    local name = use(self, 'name', i)
    if name == nil then return nil end
    return name, use(self, 'value', i)
  end
end)

local buffer_of = kind_of_object({
  length = function(self) return call('length') end,
  getBytes = function(self, index, length) return call('bytes', integer(index, 2), integer(length, 3)) end,
  setBytes = function(self, value) return call('setbytes', text(value, 2)) end,
})

local function flat(headers)
  local list = {}
  if headers ~= nil and raw_type(headers) ~= 'table' then raw_error('bad argument (table expected, got ' .. raw_type(headers) .. ')', 3) end
  for name, value in next, headers or {} do
    if raw_type(value) == 'table' then
      for _, each in ipairs(value) do
        list[#list + 1] = text(name, 1)
        list[#list + 1] = text(each, 2)
      end
    else
      list[#list + 1] = text(name, 1)
      list[#list + 1] = text(value, 2)
    end
  end
  return list
end

local function quote(value)
  return '"' .. gsub(value, '[%c"\\]', function(c) return raw_format('\\u%04x', byte(c)) end) .. '"'
end

local function json(value, depth)
  local kind = raw_type(value)
  if kind == 'string' then return quote(value) end
  if kind == 'boolean' then return value and 'true' or 'false' end
  if kind == 'number' then
    if value ~= value or value == huge or value == -huge then raw_error('a number that is none cannot be dynamic metadata', 4) end
    return mtype(value) == 'float' and raw_format('%.17g', value) or raw_format('%d', value)
  end
  if kind ~= 'table' or depth > 20 then raw_error('a ' .. kind .. ' cannot be dynamic metadata', 4) end
  local parts = {}
  if #value > 0 then
    for _, each in ipairs(value) do parts[#parts + 1] = json(each, depth + 1) end
    return '[' .. raw_concat(parts, ',') .. ']'
  end
  for key, each in next, value do parts[#parts + 1] = quote(text(key, 1)) .. ':' .. json(each, depth + 1) end
  return '{' .. raw_concat(parts, ',') .. '}'
end

local metadata_of = kind_of_object({
  get = function(_, filter) return tree('dynamic', text(filter, 2)) end,
  set = function(_, filter, key, value)
    -- Envoy writes nothing for nil.
    if value ~= nil then call('setdynamic', text(filter, 2), text(key, 3), json(value, 0)) end
  end,
}, function() return next, tree('spaces') or {}, nil end)
-- Of a connection nobody tells anything.
local connection_metadata_of = kind_of_object({ get = function() return nil end }, function() return next, {}, nil end)
local filter_state_of = kind_of_object({
  get = function(_, name, field)
    if field ~= nil then return nil end
    return host('object', text(name, 2))
  end,
  set = function(_, name, factory, value) call('setobject', text(name, 2), text(factory, 3), text(value, 4)) end,
})

local subject_of = kind_of_object({
  commonName = function() return host('info', 'commonName') end,
  organizationName = function() return tree('list', 'organizationName') end,
})
local ssl_methods = {
  parsedSubjectPeerCertificate = function() return host('info', 'peerCertificatePresented') and subject_of({}) or nil end,
}
for _, name in ipairs({ 'peerCertificatePresented', 'peerCertificateValidated' }) do
  ssl_methods[name] = function() return host('info', name) == true end
end
for _, name in ipairs({
  'subjectPeerCertificate', 'issuerPeerCertificate', 'serialNumberPeerCertificate', 'sha256PeerCertificateDigest', 'tlsVersion', 'ciphersuiteString',
  'ciphersuiteId', 'sessionId', 'subjectLocalCertificate', 'urlEncodedPemEncodedPeerCertificate', 'urlEncodedPemEncodedPeerCertificateChain',
  'validFromPeerCertificate', 'expirationPeerCertificate',
}) do
  ssl_methods[name] = function() return host('info', name) end
end
for _, name in ipairs({
  'uriSanPeerCertificate', 'uriSanLocalCertificate', 'dnsSansPeerCertificate', 'dnsSansLocalCertificate', 'oidsPeerCertificate', 'oidsLocalCertificate',
}) do
  ssl_methods[name] = function() return tree('list', name) end
end
local ssl_of = kind_of_object(ssl_methods)
local function ssl() return host('info', 'isTls') and ssl_of({}) or nil end
local connection_of = kind_of_object({ ssl = ssl })

local info_methods = {
  dynamicMetadata = function() return metadata_of({}) end,
  dynamicTypedMetadata = function() return nil end,
  filterState = function() return filter_state_of({}) end,
  downstreamSslConnection = ssl,
  drainConnectionUponCompletion = function() host('info', 'drainConnectionUponCompletion') end,
}
for _, name in ipairs({
  'protocol', 'routeName', 'downstreamLocalAddress', 'downstreamDirectLocalAddress', 'downstreamDirectRemoteAddress', 'downstreamRemoteAddress',
  'requestedServerName', 'virtualClusterName', 'attemptCount', 'responseCodeDetails',
}) do
  info_methods[name] = function() return host('info', name) end
end
local info_of = kind_of_object(info_methods)
local connection_info_of = kind_of_object({
  dynamicMetadata = function() return connection_metadata_of({}) end,
  dynamicTypedMetadata = function() return nil end,
})
local route_of = kind_of_object({ metadata = function() return values_of(tree('metadata') or {}) end })
local virtual_host_of = kind_of_object({ metadata = function() return values_of(tree('hostmetadata') or {}) end })

local function statistic(kind, changes)
  local methods = {}
  if kind ~= 'histogram' then methods.value = function(self) return call('stat', kind, of[self], 'value', 0) end end
  for name, sign in pairs(changes) do
    methods[name] = function(self, amount)
      amount = amount == nil and (name == 'inc' or name == 'dec') and 1 or integer(amount, 2)
      call('stat', kind, of[self], sign == 0 and 'set' or 'add', sign == 0 and amount or sign * amount)
    end
  end
  local make = kind_of_object(methods)
  return function(_, name) return make(text(name, 2)) end
end
local stats_of = kind_of_object({
  counter = statistic('counter', { inc = 1, add = 1 }),
  gauge = statistic('gauge', { inc = 1, add = 1, dec = -1, sub = -1, set = 0 }),
  histogram = statistic('histogram', { recordValue = 0 }),
})
local key_of = kind_of_object({ get = function(self) return of[self] end })

local function chunks(self)
  local state = of[self]
  return function()
    if not wait('chunk') then return nil end
    state.life.era = state.life.era + 1
    return buffer_of({})
  end
end

local function map_of(self, which)
  local life = of[self].life
  local kept = life[which]
  if kept == nil or of[kept].era ~= life.era then
    kept = headers_of({ which = which, life = life, era = life.era })
    life[which] = kept
  end
  return kept
end

local handle_of = kind_of_object({
  headers = function(self) return map_of(self, 'headers') end,
  requestHeaders = function(self) return map_of(self, 'requestheaders') end,
  body = function(self, always)
    local life = of[self].life
    local found = wait('body', always and true or false)
    -- What has no body, or is here already, is not waited for.
    if found and not life.has_body then life.era, life.has_body = life.era + 1, true end
    if not found then return nil end
    return buffer_of({})
  end,
  bodyChunks = chunks,
  trailers = function(self)
    local life = of[self].life
    if not wait('trailers') then return nil end
    life.era = life.era + 1
    return headers_of({ which = 'trailers', life = life, era = life.era })
  end,
  httpCall = function(self, cluster, request, body, timeout, asynchronous)
    local life, options = of[self].life, {}
    if raw_type(timeout) == 'table' then options, timeout, asynchronous = timeout, timeout.timeout_ms, timeout.asynchronous end
    local list = flat(request)
    local milliseconds, forwarded = timeout == nil and 0 or integer(timeout, 5), options.send_xff ~= false
    if milliseconds < 0 then raw_error('http call timeout must be >= 0', 2) end
    if asynchronous == true then
      call('callasync', text(cluster, 2), optional(body, 4) or '', milliseconds, forwarded, raw_unpack(list))
      return
    end
    wait('call', text(cluster, 2), optional(body, 4) or '', milliseconds, forwarded, raw_unpack(list))
    life.era = life.era + 1
    local answer, all = {}, options.return_duplicate_headers == true
    for i = 0, host('answercount') - 1 do
      local name, value = host('answername', i), host('answervalue', i)
      local before = answer[name]
      if before == nil or not all then answer[name] = value
      elseif raw_type(before) == 'table' then before[#before + 1] = value
      else answer[name] = { before, value } end
    end
    local found = host('answerbody')
    return answer, found
  end,
  respond = function(self, answer, body) wait('respond', optional(body, 3) or '', raw_unpack(flat(answer))) end,
  metadata = function() return values_of(tree('metadata') or {}) end,
  filterContext = function()
    local values = tree('context') or {}
    local object = values_of(values)
    return object
  end,
  route = function() return route_of({}) end,
  virtualHost = function() return virtual_host_of({}) end,
  streamInfo = function() return info_of({}) end,
  connectionStreamInfo = function() return connection_info_of({}) end,
  connection = function() return connection_of({}) end,
  stats = function() return stats_of({}) end,
  importPublicKey = function(_, key, length)
    local der = sub(text(key, 2), 1, integer(length, 3))
    return key_of(host('importkey', der) and der or '')
  end,
  verifySignature = function(_, hash, key, signature, signature_length, data, data_length)
    local der = raw_type(key) == 'table' and of[key] or optional(key, 3) or ''
    local answer, message = host('verify', text(hash, 2), der, sub(text(signature, 4), 1, integer(signature_length, 5)),
      sub(text(data, 6), 1, integer(data_length, 7)))
    if message then raw_error(message, 2) end
    if answer == true then return true, '' end
    return false, answer
  end,
  base64Escape = function(_, value) return host('base64', text(value, 2)) end,
  base64Decode = function(_, value) return host('unbase64', text(value, 2)) end,
  timestamp = function(_, resolution)
    if resolution ~= nil and resolution ~= 0 then raw_error('timestamp format must be MILLISECOND.', 2) end
    return host('time')
  end,
  timestampString = function(_, resolution)
    if resolution ~= nil and resolution ~= 0 and resolution ~= 1 then raw_error('timestamp format must be MILLISECOND or MICROSECOND.', 2) end
    return raw_format('%d', host(resolution == 1 and 'microseconds' or 'time'))
  end,
  setUpstreamOverrideHost = function(_, address, strict)
    if strict ~= nil and raw_type(strict) ~= 'boolean' then raw_error('bad argument #3 (boolean expected, got ' .. raw_type(strict) .. ')', 2) end
    call('override', text(address, 2), strict == true)
  end,
  clearRouteCache = function() host('clearroute') end,
})

local function run(f)
  local thread = guard(create(f), { left = max_instructions })
  runs[thread] = true
  return thread
end

local function start(function_name)
  local f = global[function_name]
  if raw_type(f) ~= 'function' then return nil end
  return run(function() f(handle_of({ life = { era = 0 } })) end)
end

-- Raises why the script does not load.
local function load_script(script)
  local chunk, problem = compile(script, '=script')
  if not chunk then raw_error(problem, 0) end
  local done, message = resume(run(chunk))
  if not done then raw_error(message, 0) end
end

return start, load_script

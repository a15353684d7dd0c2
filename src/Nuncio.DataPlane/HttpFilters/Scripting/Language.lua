-- Lua 5.1 as LuaJIT has it, as far as scripts can tell. Its numbers are floats, so the numbers of a script's text become floats too; "a .. b" becomes
-- "a .. nil .. b", where nil's metamethod writes numbers as Lua 5.1 does.
local function number_text(value)
  if mtype(value) == 'integer' and value > -100000000000000 and value < 100000000000000 then return raw_tostring(value) end
  if value ~= value then return 'nan' end
  return raw_format('%.14g', value)
end

local function plain(value)
  if mtype(value) then return number_text(value) end
  return value
end

-- Where C wants an integer, LuaJIT cuts off what is behind the point.
local function whole(value)
  if mtype(value) == 'float' then return tointeger(value < 0 and ceil(value) or floor(value)) or value end
  return value
end

local function concat_error(value)
  raw_error('attempt to concatenate a ' .. raw_type(value) .. ' value', 3)
end

local held
local right = {}
local function own_concat(value)
  local meta = raw_getmetatable(value)
  return raw_type(meta) == 'table' and rawget(meta, '__concat') ~= nil
end

local function joined(a, b)
  if b == right then
    local kind = raw_type(a)
    if kind == 'string' then return a .. held end
    if kind == 'number' then return number_text(a) .. held end
    concat_error(a)
  end
  if a ~= nil then concat_error(a) end
  local kind = raw_type(b)
  if kind == 'string' then held = b return right end
  if kind == 'number' then held = number_text(b) return right end
  if own_concat(b) then return b end
  concat_error(b)
end
set_any_metatable(nil, { __concat = joined, __metatable = false })
raw_setmetatable(right, { __concat = joined, __metatable = false })

-- A metamethod of the script's own gets the text in place of what stands for it.
local function unheld(f)
  return function(a, b)
    if b == right then b = held end
    return f(a, b)
  end
end

local function translate(source)
  local parts, copied, at = {}, 1, 1
  local function insert(before, added)
    parts[#parts + 1] = sub(source, copied, before) .. added
    copied = before + 1
  end
  while true do
    at = find(source, '[%-%.%[%w_"\']', at)
    if not at then break end
    local c, last = sub(source, at, at), nil
    if c == '-' or c == '[' then
      local from = c == '[' and at or sub(source, at, at + 1) == '--' and at + 2
      local open, level
      if from then _, open, level = find(source, '^%[(=*)%[', from) end
      if open then
        _, last = find(source, ']' .. level .. ']', open + 1, true)
        at = (last or #source) + 1
      elseif from and c == '-' then
        at = (find(source, '[\r\n]', from) or #source) + 1
      else
        at = at + 1
      end
    elseif c == '"' or c == "'" then
      local i, d = at + 1, nil
      repeat
        i = find(source, c == '"' and '[\\\r\n"]' or "[\\\r\n']", i)
        d = i and sub(source, i, i)
        if d == '\\' then
          local skipped, beyond = find(source, '^\\z%s*', i)
          if not skipped then _, beyond = find(source, '^\\\r\n', i) end
          i = (beyond or i + 1) + 1
        end
      until d ~= '\\'
      at = (i or #source) + 1
    elseif find(source, '^%.%.%.', at) then
      at = at + 3
    elseif find(source, '^%.%.', at) then
      insert(at + 1, ' nil ..')
      at = at + 2
    elseif find(source, '^%.?%d', at) then
      local hex = find(source, '^0[xX]', at)
      _, last = find(source, hex and '^0[xX][%x%.]*' or '^[%d%.]*', at)
      local _, exponent = find(source, hex and '^[pP][%+%-]?%d+' or '^[eE][%+%-]?%d+', last + 1)
      if exponent then
        last = exponent
      elseif not find(sub(source, at, last), '.', 1, true) and not find(source, '^[%w_]', last + 1) then
        insert(last, hex and 'p0' or '.0')
      end
      _, at = find(source, '^[%w_]*', last + 1)
      at = at + 1
    elseif c == '.' then
      at = at + 1
    else
      _, last = find(source, '^[%w_]+', at)
      at = last + 1
    end
  end
  parts[#parts + 1] = sub(source, copied)
  return raw_concat(parts)
end

local function compile(text, name, env)
  -- A script's own name for its text is the text before it is translated.
  if env == nil then return raw_load(translate(text), name, 't') end
  return raw_load(translate(text), name, 't', env)
end

_VERSION = 'Lua 5.1'
tostring = function(value)
  if mtype(value) then return number_text(value) end
  return raw_tostring(value)
end
local raw_tonumber = tonumber
tonumber = function(value, base)
  local number
  if base == nil then number = raw_tonumber(value) else number = raw_tonumber(plain(value), whole(base)) end
  if mtype(number) == 'integer' then return number + 0.0 end
  return number
end
local tostring, tonumber = tostring, tonumber
load = function(chunk, name, _, env)
  if raw_type(chunk) == 'function' then
    local pieces, piece = {}, chunk()
    -- Compiled Lua is refused by its first octet.
    if raw_type(piece) == 'string' and byte(piece) == 27 then return compile(piece, name or '=(load)', env) end
    while piece ~= nil and piece ~= '' do
      pieces[#pieces + 1] = piece
      piece = chunk()
    end
    return compile(raw_concat(pieces), name or '=(load)', env)
  end
  return compile(chunk, name or chunk, env)
end
loadstring = function(text, name) return compile(plain(text), name or text) end

-- ---- string ----
local raw = {}
for name, f in pairs(string) do raw[name] = f end
string.pack, string.unpack, string.packsize, string.dump, utf8 = nil, nil, nil, nil, nil
string.byte = function(s, i, j) return raw.byte(plain(s), whole(i), whole(j)) end
string.sub = function(s, i, j) return raw.sub(plain(s), whole(i), whole(j)) end
string.rep = function(s, n, separator) return raw.rep(plain(s), whole(n), plain(separator)) end
string.find = function(s, pattern, init, literal) return raw.find(plain(s), plain(pattern), whole(init), literal) end
string.match = function(s, pattern, init) return raw.match(plain(s), plain(pattern), whole(init)) end
string.gmatch = function(s, pattern) return raw.gmatch(plain(s), plain(pattern)) end
for _, name in ipairs({ 'len', 'upper', 'lower', 'reverse' }) do
  local f = raw[name]
  string[name] = function(s) return f(plain(s)) end
end
string.char = function(...)
  local codes = pack(...)
  for i = 1, codes.n do codes[i] = whole(codes[i]) end
  return raw.char(raw_unpack(codes, 1, codes.n))
end
string.gsub = function(s, pattern, by, n)
  local kind = raw_type(by)
  if kind == 'number' then
    by = number_text(by)
  elseif kind == 'string' then
    -- 5.1 takes what follows a % as it is.
    if find(by, '%%[^%d%%]') then by = gsub(by, '%%([^%d%%])', '%1') end
  elseif kind == 'table' then
    local values = by
    by = function(key) return plain(values[key]) end
  elseif kind == 'function' then
    local f = by
    by = function(...) return plain((f(...))) end
  end
  return raw.gsub(plain(s), plain(pattern), by, whole(n))
end
string.format = function(format, ...)
  local arguments, i, old = pack(...), 0, false
  for kind in raw.gmatch(format, '%%[%-%+ #0%d%.]*(%a?%%?)') do
    if kind ~= '%' then
      i = i + 1
      if find(kind, '^[dixXouc]') then
        arguments[i] = whole(tonumber(arguments[i]) or arguments[i])
        old = old or kind == 'u'
      elseif kind == 's' or kind == 'q' then
        arguments[i] = plain(arguments[i])
      end
    end
  end
  if old then format = gsub(format, '(%%[%-%+ #0%d%.]*)u', '%1d') end
  return raw_format(format, raw_unpack(arguments, 1, arguments.n))
end

-- ---- table ----
unpack = function(t, i, j)
  if i == nil and j == nil then return raw_unpack(t) end
  return raw_unpack(t, whole(i), whole(j))
end
table.unpack = unpack
table.concat = function(t, separator, i, j)
  local from, to, texts = whole(i) or 1, whole(j) or #t, nil
  for k = from, to do
    if mtype(t[k]) then
      texts = texts or {}
      texts[k] = number_text(t[k])
    end
  end
  if texts then
    for k = from, to do texts[k] = texts[k] or t[k] end
  end
  return raw_concat(texts or t, plain(separator), from, to)
end
local raw_insert, raw_remove = table.insert, table.remove
table.insert = function(t, ...)
  if select('#', ...) ~= 2 then return raw_insert(t, ...) end
  local at, value = ...
  at = whole(at)
  if mtype(at) == 'integer' and at > #t + 1 then t[at] = value return end
  return raw_insert(t, at, value)
end
table.remove = function(t, at)
  if at == nil then return raw_remove(t) end
  at = whole(at)
  if mtype(at) == 'integer' and (at < 1 or at > #t) then return end
  return raw_remove(t, at)
end
table.getn = function(t) return #t end
table.maxn = function(t)
  local most = 0
  for key in next, t do if mtype(key) and key > most then most = key end end
  return most
end
table.foreach = function(t, f) for k, v in next, t do local r = f(k, v) if r ~= nil then return r end end end
table.foreachi = function(t, f) for i, v in ipairs(t) do local r = f(i, v) if r ~= nil then return r end end end

-- ---- math ----
local atan, log, exp, fmod, random, seed = math.atan, math.log, math.exp, math.fmod, math.random, math.randomseed
math.type, math.tointeger, math.ult, math.maxinteger, math.mininteger = nil, nil, nil, nil, nil
math.atan = function(x) return atan(x) end
math.atan2 = function(y, x) return atan(y, x) end
math.pow = function(x, y) return x ^ y end
math.fmod = function(x, y) return fmod(x + 0.0, y) end
math.log10 = function(x) return log(x, 10) end
math.ldexp = function(m, e) return m * 2.0 ^ e end
math.frexp = function(x)
  if x == 0 or x ~= x or x == huge or x == -huge then return x, 0 end
  local m, e = x < 0 and -x or x, 0
  while m >= 1 do m, e = m / 2, e + 1 end
  while m < 0.5 do m, e = m * 2, e - 1 end
  return x < 0 and -m or m, e
end
math.cosh = function(x) return (exp(x) + exp(-x)) / 2 end
math.sinh = function(x) return (exp(x) - exp(-x)) / 2 end
math.tanh = function(x) local a, b = exp(2 * x), 1 if a == huge then return 1.0 end return (a - b) / (a + b) end
math.random = function(m, n)
  if m == nil then return random() end
  if n == nil then return random(whole(m)) end
  return random(whole(m), whole(n))
end
math.randomseed = function(x) seed(whole(tonumber(x))) end

-- ---- bit ----
local function to32(n)
  n = n & 0xffffffff
  return n > 0x7fffffff and n - 0x100000000 or n
end
-- As LuaJIT: rounded to even, of what fits into 32 bits.
local function int(value)
  local n = tonumber(value)
  if n == nil then raw_error('bad argument (number expected, got ' .. raw_type(value) .. ')', 3) end
  return tointeger(fmod(n, 4294967296.0) + 6755399441055744.0 - 6755399441055744.0) or 0
end
local function folded(f)
  return function(a, ...)
    a = int(a)
    for i = 1, select('#', ...) do a = f(a, int((select(i, ...)))) end
    return to32(a)
  end
end
local function rotated(a, n)
  a, n = int(a) & 0xffffffff, n & 31
  return to32(a << n | a >> (32 - n))
end
bit = {
  tobit = function(a) return to32(int(a)) end,
  bnot = function(a) return to32(~int(a)) end,
  band = folded(function(a, b) return a & b end),
  bor = folded(function(a, b) return a | b end),
  bxor = folded(function(a, b) return a ~ b end),
  lshift = function(a, n) return to32(int(a) << (int(n) & 31)) end,
  rshift = function(a, n) return to32((int(a) & 0xffffffff) >> (int(n) & 31)) end,
  arshift = function(a, n) return to32(to32(int(a)) // (1 << (int(n) & 31))) end,
  rol = function(a, n) return rotated(a, int(n)) end,
  ror = function(a, n) return rotated(a, -int(n)) end,
  bswap = function(a)
    a = int(a) & 0xffffffff
    return to32(a >> 24 | a >> 8 & 0xff00 | (a & 0xff00) << 8 | (a & 0xff) << 24)
  end,
  tohex = function(a, n)
    n = n == nil and 8 or int(n)
    local text = raw_format(n < 0 and '%08X' or '%08x', int(a) & 0xffffffff)
    n = n < 0 and -n or n
    return n >= 8 and text or sub(text, 9 - n)
  end,
}

-- ---- environments, errors, coroutines ----
local environments = raw_setmetatable({}, { __mode = 'k' })
local function environment_of(f)
  if getinfo(f, 'S').short_src == 'prelude' then return nil end
  for i = 1, 255 do
    local name, value = getupvalue(f, i)
    if name == nil then return nil end
    if name == '_ENV' then return i, value end
  end
end
local function function_at(which)
  if raw_type(which) == 'function' then return which end
  local level = whole(tonumber(which or 1))
  if mtype(level) ~= 'integer' or level < 0 then raw_error('bad argument #1 (level must be non-negative)', 3) end
  if level == 0 then return nil end
  local info = getinfo(level + 2, 'f')
  if not info then raw_error('bad argument #1 (invalid level)', 3) end
  return info.func
end
local global = _G
getfenv = function(which)
  local f = function_at(which)
  if not f then return global end
  local _, value = environment_of(f)
  return value or environments[f] or global
end
setfenv = function(which, env)
  local f = function_at(which)
  if raw_type(env) ~= 'table' then raw_error('bad argument #2 to \'setfenv\' (table expected)', 2) end
  if not f or getinfo(f, 'S').what == 'C' or getinfo(f, 'S').short_src == 'prelude' then
    raw_error('\'setfenv\' cannot change environment of given object', 2)
  end
  local i = environment_of(f)
  if i then upvaluejoin(f, i, function() return env end, 1) else environments[f] = env end
  return f
end
coroutine.create = child
coroutine.resume = resume_child
coroutine.wrap = function(f)
  local thread = child(f)
  return function(...)
    local results = pack(resume_child(thread, ...))
    if not results[1] then raw_error(results[2], 0) end
    return raw_unpack(results, 2, results.n)
  end
end
-- As in 5.1; what it runs when it closes a coroutine that was stopped would run without a limit.
coroutine.close = nil
coroutine.yield = function(...)
  if runs[running()] then raw_error('attempt to yield outside a coroutine', 2) end
  return yield(...)
end
coroutine.running = function()
  local thread = running()
  return thread, runs[thread] == true
end
-- Lua calls a handler inside of the hook that stops a script, where no other hook stops the handler.
xpcall = function(f, handler, ...)
  local results = pack(raw_pcall(f, ...))
  if results[1] then return raw_unpack(results, 1, results.n) end
  return false, handler(results[2])
end
-- Tables have no finalizers in 5.1; here they would run without hooks, and so without a limit.
setmetatable = function(t, meta)
  if raw_type(meta) ~= 'table' then return raw_setmetatable(t, meta) end
  local joins = rawget(meta, '__concat')
  if raw_type(joins) == 'function' and getinfo(joins, 'S').short_src ~= 'prelude' then rawset(meta, '__concat', unheld(joins)) end
  local finalizer = rawget(meta, '__gc')
  if finalizer == nil then return raw_setmetatable(t, meta) end
  rawset(meta, '__gc', nil)
  local done, message = raw_pcall(raw_setmetatable, t, meta)
  rawset(meta, '__gc', finalizer)
  if not done then raw_error(message, 2) end
  return t
end
local traceback, count, date = debug.traceback, collectgarbage, os.date
debug = { traceback = function(...) return (traceback(...)) end }
collectgarbage = function(what)
  if what == 'count' then return count('count') end
  if what == 'step' then return false end
  return 0
end
gcinfo = function() return floor(count('count')) end
os = {
  time = os.time, clock = os.clock, difftime = os.difftime,
  date = function(format, at) if at == nil then return date(format) end return date(format, whole(at)) end,
}
io, package, require, dofile, loadfile, warn = nil, nil, nil, nil, nil, nil
print = function(...)
  local parts = {}
  for i = 1, select('#', ...) do parts[i] = tostring((select(i, ...))) end
  host('log', 2, raw_concat(parts, '\t'))
end

-- The three files are one chunk: limits, the language, the stream handle.
-- "host" works at once and returns a value, or nil and a message; what has to wait yields to the proxy.
local host, max_instructions = ...
local yield, create, resume, running = coroutine.yield, coroutine.create, coroutine.resume, coroutine.running
local sethook, getinfo, getupvalue, upvaluejoin, set_any_metatable = debug.sethook, debug.getinfo, debug.getupvalue, debug.upvaluejoin, debug.setmetatable
local raw_error, raw_type, raw_tostring, raw_load, raw_pcall = error, type, tostring, load, pcall
local raw_setmetatable, raw_getmetatable, rawget, rawset = setmetatable, getmetatable, rawget, rawset
local mtype, tointeger, floor, ceil, huge = math.type, math.tointeger, math.floor, math.ceil, math.huge
local raw_format, find, sub, gsub, byte = string.format, string.find, string.sub, string.gsub, string.byte
local pack, raw_unpack, raw_concat, select, next, pairs, ipairs = table.pack, table.unpack, table.concat, select, next, pairs, ipairs
local step = 1000
local too_much = 'the script takes too many instructions'
-- A run and what it begins share one budget: else coroutines in coroutines have no limit together.
local budgets = setmetatable({}, { __mode = 'k' })
-- The coroutines that the proxy resumes.
local runs = setmetatable({}, { __mode = 'k' })
-- What a coroutine of the script's own yields when it waits for the proxy.
local waiting = {}

-- Made beforehand: where there is no memory left, a hook that had to make it would fail with another error each time, and pcall would go on for ever.
local function stop() raw_error(too_much, 0) end

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
      sethook(thread, stop, '', 1)
      raw_error(too_much, 0)
    end
  end, '', step)
  return thread
end

local function child(f)
  return guard(create(f), budgets[running()] or { left = max_instructions })
end

local function call(op, ...)
  local value, message = host(op, ...)
  if message then raw_error(message, 3) end
  return value
end

-- From within a coroutine of the script's own, each that resumed it hands the wait on.
local function ask(...)
  if runs[running()] then return yield(...) end
  return yield(waiting, ...)
end

local function wait(op, ...)
  local value, message = ask(op, ...)
  if message then raw_error(message, 3) end
  return value
end

local function resume_child(thread, ...)
  local results = pack(resume(thread, ...))
  while results[1] and results[2] == waiting do
    results = pack(resume(thread, ask(raw_unpack(results, 3, results.n))))
  end
  return raw_unpack(results, 1, results.n)
end

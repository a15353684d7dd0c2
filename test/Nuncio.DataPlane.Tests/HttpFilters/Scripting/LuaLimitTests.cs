using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.HttpFilters.Scripting;

namespace Nuncio.DataPlane.Tests.HttpFilters.Scripting;

public class LuaLimitTests
{
    private const string Endless = "while true do end";

    [Theory]
    [InlineData(Endless)]
    [InlineData("while true do pcall(function() " + Endless + " end) end")]
    [InlineData("xpcall(function() " + Endless + " end, function() " + Endless + " end)")]
    [InlineData("while true do pcall(coroutine.wrap(function() " + Endless + " end)) end")]
    [InlineData("while true do coroutine.wrap(function() for i = 1, 900 do end end)() end")]
    [InlineData("local c = coroutine.wrap(function() while true do pcall(coroutine.yield, 1) end end) while true do c() end")]
    [InlineData("setmetatable({}, {__gc = function() " + Endless + " end}) local t for i = 1, 1e9 do t = {t} end")]
    [InlineData(
        "local c = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() " + Endless + " end}) " + Endless
        + " end) coroutine.resume(c) coroutine.close(c)")]
    [InlineData("while true do pcall(string.rep, 'x', 60000000) end")]
    [InlineData("local s = string.rep('x', 30000000) while true do pcall(string.find, s, 'y', 1, true) end")]
    [InlineData("local t = {} while true do t[#t + 1] = string.rep('x', 1000) .. #t end")]
    [InlineData("while true do pcall(handle.headers(handle).add, handle:headers(), 'x-a', string.rep('x', 1000)) end")]
    public async Task Script_WithoutEnd_IsStoppedAndTheNextOneRuns(string body)
    {
        var stopped = Task.Run(() =>
        {
            using var machine = LuaMachine.TryCreate(
                Octets("function endless(handle) " + body + " end function fine(handle) local t = {} for i = 1, 100 do t[i] = i end end"),
                TimeProvider.System, out var error);
            error.ShouldBeEmpty();
            machine!.Start(Run(), "endless").ShouldBe(LuaRunState.Failed);
            machine.Start(Run(), "fine").ShouldBe(LuaRunState.Done);
        });

        await stopped.WaitAsync(TimeSpan.FromMinutes(6));
    }

    [Fact]
    public async Task Script_WithoutEndWhileItLoads_DoesNotLoad()
    {
        var loaded = Task.Run(() =>
        {
            LuaMachine.TryCreate(Octets(Endless), TimeProvider.System, out var error).ShouldBeNull();
            return error;
        });

        (await loaded.WaitAsync(TimeSpan.FromMinutes(6))).ShouldNotBeEmpty();
    }

    [Fact]
    public void Script_ThatKeepsAllMemory_GetsTheProxysAnswersAsErrorsOfItsOwn()
    {
        using var machine = LuaMachine.TryCreate(
            Octets("kept = {} function f(handle) while true do kept[#kept + 1] = handle:body():getBytes(0, 1048576) .. #kept end end"),
            TimeProvider.System, out _);

        for (var i = 0; i < 3; i++)
        {
            var run = Run();
            run.Body = new byte[1024 * 1024];
            var state = machine!.Start(run, "f");
            while (state == LuaRunState.Waiting)
            {
                state = machine.Resume(run, value: true, error: null);
            }

            state.ShouldBe(LuaRunState.Failed);
            run.Error.ShouldNotBeEmpty();
        }
    }

    [Theory]
    [InlineData("io")]
    [InlineData("debug.sethook")]
    [InlineData("debug.getinfo")]
    [InlineData("debug.getupvalue")]
    [InlineData("debug.setmetatable")]
    [InlineData("package")]
    [InlineData("require")]
    [InlineData("dofile")]
    [InlineData("loadfile")]
    [InlineData("os.execute")]
    [InlineData("os.getenv")]
    [InlineData("os.exit")]
    [InlineData("os.remove")]
    [InlineData("string.dump")]
    [InlineData("coroutine.close")]
    [InlineData("load('\\27Lua')")]
    [InlineData("loadstring('\\27Lua')")]
    [InlineData("load(function() return '\\27Lua' end, 'x', 'b')")]
    public void Script_ThatWantsOut_FindsNothing(string expression)
    {
        using var machine = LuaMachine.TryCreate(Octets($"function f() assert(({expression}) == nil) end"), TimeProvider.System, out _);

        var run = Run();
        machine!.Start(run, "f").ShouldBe(LuaRunState.Done, run.Error);
    }

    [Fact]
    public void Script_WithCoroutinesAndHandlers_RunsAsIn51()
    {
        using var machine = LuaMachine.TryCreate(
            Octets("""
                function f()
                  local next = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
                  assert(next() + next() + next() == 6)
                  local ok, message = xpcall(function() error('no', 0) end, function(m) return m .. '!' end)
                  assert(not ok and message == 'no!')
                  assert(select(2, xpcall(function(a) return a end, print, 7)) == 7)
                  local t = setmetatable({}, {__index = {x = 1}, __gc = true})
                  assert(t.x == 1 and getmetatable(t).__gc == true)
                  assert(not pcall(coroutine.yield, 'respond'))
                end
                """), TimeProvider.System, out var error);

        error.ShouldBeEmpty();
        var run = Run();
        machine!.Start(run, "f").ShouldBe(LuaRunState.Done, run.Error);
    }

    private static byte[] Octets(string text) => Encoding.UTF8.GetBytes(text);

    private static LuaRun Run() => new(null!, new HeaderMap(), "lua", null, NullLogger.Instance);
}

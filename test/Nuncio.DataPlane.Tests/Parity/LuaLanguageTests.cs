using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>The language of scripts where it could tell that it is not LuaJIT's: each line is an expression that both must find the same value of.</summary>
public sealed class LuaLanguageTests
{
    private const string Expressions = """
        10/2
        'x' .. 10/2
        7/2 .. ''
        2^53 .. ''
        2^10 .. 'a'
        1e15 .. ''
        tostring(1e14)
        123456789012345678 .. ''
        tostring(0/0)
        tostring(-0.0)
        -0 .. ''
        1/3 .. ''
        100000000000000 * 100 .. ''
        4294967296 * 4294967296
        5 % 0
        -5 % 3
        math.fmod(5, 0)
        table.concat({10/2, 3, 2.5, 'a', 2^4}, ',')
        string.format('%d %d %u %i %s %x %5.2f|%-5d|%05d %%', 3.7, -3.7, 5, 5, 10/2, -1, 1/3, 3, 3)
        string.format('%d', '10')
        string.sub('hello', 1, 5/2)
        ('hello'):sub(2.9)
        string.rep('ab', 5/2)
        string.byte('abc', 3/2)
        string.char(65.7)
        string.len(10/2)
        string.upper(10/2)
        string.find('a5b', 10/2)
        string.gsub('a', 'a', 10/2)
        string.gsub('a b', ' ', '%-')
        string.gsub('abc', 'b', {b = 10/2})
        string.gsub('abc', 'b', function() return 10/2 end)
        string.gsub('a.b', '%.', '%%')
        type(string.gfind)
        type(string.pack)
        type(utf8)
        type(math.type)
        type(math.tointeger)
        type(table.move)
        math.atan2(1, 2)
        math.frexp(8)
        math.frexp(-0.3)
        math.ldexp(1, 4)
        math.pow(2, 3)
        math.log10(1000)
        math.log(8, 2)
        math.sqrt(16) .. ''
        math.tanh(1000)
        math.random(1, 2.5) <= 3
        table.remove({}, 1)
        table.remove({1,2,3}, 10)
        table.remove({1,2,3}, 1)
        (function() local t = {1,2} table.insert(t, 2.5, 'x') return table.concat(t, ',') end)()
        (function() local t = {1,2} table.insert(t, 5, 'x') return t[5] end)()
        table.getn({1,2,3})
        table.maxn({1,2,[10]=3})
        table.foreach({5}, function(k, v) return v end)
        unpack({1,2,3})
        select(-1, 'a', 'b')
        loadstring('return 1+1')()
        loadstring('return ... .. 1/1')(7)
        load('return 5')()
        load(function() return nil end) ~= nil
        pcall(error, 'x', 0)
        xpcall(function() error('boom', 0) end, function(m) return m .. '!' end)
        type(debug.traceback())
        getfenv() == _G
        (function() local f = function() return zz end setfenv(f, {zz = 5}) return f() end)()
        (function() setfenv(1, setmetatable({q = 3}, {__index = _G})) return q end)()
        pcall(setfenv, print, {})
        (function() local f = function() end return getfenv(f) == _G end)()
        _VERSION
        type(collectgarbage('count'))
        collectgarbage()
        collectgarbage('step')
        gcinfo() > 0
        os.date('!%Y-%m-%d', 1000.7)
        bit.band(0xff, 0x0f)
        bit.bnot(0)
        bit.lshift(1, 31)
        bit.lshift(1, 32)
        bit.rshift(-1, 1)
        bit.arshift(-8, 1)
        bit.rol(0x12345678, 8)
        bit.ror(0x12345678, 8)
        bit.bswap(0x12345678)
        bit.tohex(255)
        bit.tohex(255, 4)
        bit.tohex(255, -4)
        bit.tobit(0xffffffff)
        bit.band(2^40 + 5, 0xff)
        bit.bor(1.5, 0)
        bit.bor(2.5, 0)
        bit.band(-1.7, 7)
        coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end)(1)
        type(coroutine.close)
        ({[1]='a'})[1.0]
        ({[2]='a'})[4/2]
        pcall(function() return {} .. 'x' end)
        pcall(function() return 'x' .. nil end)
        pcall(function() return nil .. 'x' end) == false
        pcall(function() return true .. 'x' end) == false
        setmetatable({}, {__concat = function(a, b) return 'C' .. b end}) .. 'x' .. 1/1
        'x' .. setmetatable({}, {__concat = function(a, b) return 'D' .. a end})
        (function() local s = '' for i = 1, 3 do s = s .. i / 1 .. ',' end return s end)()
        (function() local s = '' for i = 0, 1, 0.25 do s = s .. i .. ';' end return s end)()
        'a..b' .. "c..'d" .. [[e..f]] --[[ .. ]] .. [==[ ]] 1..2 ]==]
        '\x41\z  \65\u{48}' .. 0x10 .. 0xA.8p1 .. .5 .. 3. .. 1e2 .. 1E-2
        (function(...) return select('#', ...) .. (...) end)(1, 2)
        (function() local h = 5381 for i = 1, 20 do h = h * 33 + i end return h end)()
        (function() local h = 5381 for i = 1, 20 do h = (h * 33 + i) % 2^32 end return h .. '' end)()
        tonumber('5.0') .. ''
        tonumber('10', 2)
        tonumber('zz', 36)
        tonumber('')
        tonumber('1_0')
        ('5'):rep('2')
        #('abc') .. ''
        ('abc'):len() / 3 .. ''
        (function() goto done do return 1 end ::done:: return 2 end)()
        tostring(setmetatable({}, {__tostring = function() return 'T' end}))
        #setmetatable({}, {__len = function() return 42 end})
        1 < 2 and 'y' or 'n'
        2^63 == 9223372036854775808
        65536 * 65536 * 65536 * 65536 .. ''
        math.max(1, 2.5) .. math.min(3, 4)
        """;

    private const string Evaluator = LuaResources.Show + """
        function envoy_on_request(h)
          local out = {}
          for i = 1, #tests do
            local f, why = loadstring('return ' .. tests[i], '=t')
            if f then out[#out + 1] = tests[i] .. '  =>  ' .. show(pcall(f)) else out[#out + 1] = tests[i] .. '  =>  does not load' end
          end
          h:respond({[':status'] = 200}, table.concat(out, '\n'))
        end
        """;

    [Fact]
    public async Task Expressions_OfAScript_AreThoseOfEnvoy()
    {
        var lines = Expressions.Split('\n');
        var tests = string.Join(",\n", lines.Select(static line => $"[====[{line}]====]"));
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(LuaResources.With($"local tests = {{ {tests} }}\n{Evaluator}", backend.Port));
        pair.Rejections.ShouldBeEmpty();

        var answer = await pair.CompareAsync(static port => ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"));

        answer.ShouldContain("'x' .. 10/2  =>  true ; x5\n");
        answer.ShouldContain("(function() setfenv(1, setmetatable({q = 3}, {__index = _G})) return q end)()  =>  true ; 3\n");
        answer.Split('\n').Length.ShouldBe(lines.Length);
        answer.ShouldNotContain("does not load");
    }
}

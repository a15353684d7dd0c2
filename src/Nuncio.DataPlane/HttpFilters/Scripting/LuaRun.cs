using System.Globalization;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>One run of a script's function for one request: what it sees and changes.</summary>
/// <param name="exchange">The request.</param>
/// <param name="headers">The headers of its side.</param>
/// <param name="filterName">The filter's name: the key of its metadata.</param>
/// <param name="route">The filter's settings of the route; null for none.</param>
/// <param name="logger">Where the script logs.</param>
internal sealed partial class LuaRun(HttpExchange exchange, HeaderMap headers, string filterName, LuaRouteConfig? route, ILogger logger)
{
    private static readonly LogLevel[] Levels =
        [LogLevel.Trace, LogLevel.Debug, LogLevel.Information, LogLevel.Warning, LogLevel.Error, LogLevel.Critical];

    private const int MaxMetadataChars = 64 * 1024;
    private const int MaxReasonBytes = 256;
    private const int MaxHeaders = 1000;
    private const int MaxHeaderBytes = 1024 * 1024;

    private int _metadataLeft = 4 * MaxMetadataChars;

    private readonly List<(string Name, string Value)> _answer = [];
    private string _answerBody = "";

    /// <summary>The script's coroutine; null when it does not run.</summary>
    public KeraLua.Lua? Thread { get; set; }

    /// <summary>What keeps the coroutine from being collected.</summary>
    public int Reference { get; set; }

    /// <summary>What it waits for: the operation and its arguments.</summary>
    public IReadOnlyList<string> Request { get; set; } = [];

    /// <summary>Why it failed.</summary>
    public string Error { get; set; } = "";

    /// <summary>The body of its side, once it was read; null before.</summary>
    public byte[]? Body { get; set; }

    /// <summary>The script made another body.</summary>
    public bool BodyChanged { get; private set; }

    /// <summary>The trailers of its side, once they are known; null before and for none.</summary>
    public HeaderMap? Trailers { get; set; }

    /// <summary>The headers of its side have gone on: they can no longer be changed.</summary>
    public bool HeadersAreGone { get; set; }

    /// <summary>What counts for scripts; null for nothing.</summary>
    public LuaStatistics? Statistics { get; init; }

    /// <summary>A piece of the body takes the place of the one before.</summary>
    public void SetChunk(byte[] chunk)
    {
        Body = chunk;
        BodyChanged = false;
    }

    /// <summary>Calls that the script does not wait for.</summary>
    public List<IReadOnlyList<string>>? Calls { get; private set; }

    /// <summary>The script changed headers.</summary>
    public bool HeadersChanged { get; private set; }

    /// <summary>The answer of a call.</summary>
    public void SetAnswer(UpstreamCall call)
    {
        _answer.Clear();
        foreach (var header in call.ResponseHeaders)
        {
            _answer.Add((Encoding.ASCII.GetString(header.Name), Encoding.Latin1.GetString(header.Value)));
        }

        _answerBody = Encoding.Latin1.GetString(call.ResponseBody.Span);
    }

    /// <summary>The answer of a call that got none: as Envoy's.</summary>
    public void SetNoAnswer()
    {
        _answer.Clear();
        _answer.Add((":status", "503"));
        _answerBody = "upstream failure";
    }

    /// <summary>Answers what a script asks for at once.</summary>
    public LuaAnswer Call(string?[] arguments)
    {
        switch (arguments[0])
        {
            case "get":
                return LuaAnswer.Of(GetAll(Map(arguments[1]), arguments[2]));
            case "getat":
                return LuaAnswer.Of(Get(Map(arguments[1]), arguments[2], Number(arguments[3])));
            case "count":
                return LuaAnswer.Of(Map(arguments[1])?.CountOf(Name(arguments[2])) ?? 0);
            case "reason":
                return SetReason(arguments[2] ?? "");
            case "add" or "replace" or "remove":
                return Change(arguments);
            case "name" or "value":
                return At(arguments);
            case "length":
                return LuaAnswer.Of(Body?.Length ?? 0);
            case "bytes":
                return Bytes(Number(arguments[1]), Number(arguments[2]));
            case "setbytes":
                Body = Octets(arguments[1] ?? "");
                BodyChanged = true;
                return LuaAnswer.Of(Body.Length);
            case "log":
                LogScript(logger, Levels[Math.Clamp(Number(arguments[1]), 0, 5)], arguments[2] ?? "");
                return LuaAnswer.Nil;
            case "callasync":
                if (Calls is { Count: >= 100 })
                {
                    return LuaAnswer.Failed("too many calls");
                }

                (Calls ??= []).Add([.. arguments.Select(argument => argument ?? "")]);
                return LuaAnswer.Nil;
            case "answercount":
                return LuaAnswer.Of(_answer.Count);
            case "answername":
                return LuaAnswer.Of(_answer[Number(arguments[1])].Name);
            case "answervalue":
                return LuaAnswer.Of(_answer[Number(arguments[1])].Value);
            case "answerbody":
                return _answerBody.Length == 0 ? LuaAnswer.Nil : LuaAnswer.Of(_answerBody);
            case "metadata":
                return LuaAnswer.Of(LuaValues.Literal(Own(exchange.Route?.Message.Metadata)));
            case "hostmetadata":
                return LuaAnswer.Of(LuaValues.Literal(Own(exchange.VirtualHost?.Message.Metadata)));
            case "context":
                return LuaAnswer.Of(LuaValues.Literal(route?.Context));
            case "dynamic":
                return LuaAnswer.Of(LuaValues.Literal(exchange.Metadata?.Find(arguments[1] ?? "")));
            case "setdynamic":
                return SetDynamic(arguments);
            case "spaces":
                return LuaAnswer.Of(LuaValues.Literal(exchange.Metadata?.All));
            case "object":
                return LuaAnswer.Of(exchange.FilterObjects?.GetValueOrDefault(arguments[1] ?? ""));
            case "setobject":
                return SetObject(arguments);
            case "stat":
                return Statistics?.Change(arguments[1], arguments[2] ?? "", arguments[3], arguments[4]) ?? LuaAnswer.Nil;
            case "override":
                return Override(arguments[1] ?? "", arguments[2] == "true");
            case "importkey":
                return LuaSignatures.Import(arguments[1] ?? "") ? LuaAnswer.True : LuaAnswer.Nil;
            case "verify":
                return LuaSignatures.Verify(arguments[1] ?? "", arguments[2] ?? "", arguments[3] ?? "", arguments[4] ?? "");
            case "info":
                return LuaConnectionFacts.Text(exchange, arguments[1] ?? "");
            case "list":
                return LuaAnswer.Of(LuaValues.Literal(LuaConnectionFacts.List(exchange, arguments[1] ?? "")));
            case "base64":
                return LuaAnswer.Of(Convert.ToBase64String(Octets(arguments[1] ?? "")));
            case "unbase64":
                return Unbase64(arguments[1] ?? "");
            case "microseconds":
                return LuaAnswer.Of((exchange.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            case "time":
                return LuaAnswer.Of(exchange.Clock.GetUtcNow().ToUnixTimeMilliseconds());
            case "clearroute":
                exchange.ClearRouteCache();
                return LuaAnswer.Nil;
            default:
                return LuaAnswer.Failed("There is no such function.");
        }
    }

    /// <summary>A text of a script as bytes.</summary>
    public static byte[] Octets(string text) => Encoding.Latin1.GetBytes(text);

    private static int Number(string? text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : -1;

    private static byte[] Name(string? name) =>
        name is null ? [] : Encoding.ASCII.GetBytes(name.Equals("host", StringComparison.OrdinalIgnoreCase) ? ":authority" : name.ToLowerInvariant());

    private static string? Get(HeaderMap? map, string? name, int index)
    {
        if (map is null)
        {
            return null;
        }

        var wanted = Name(name);
        foreach (var header in map)
        {
            if (header.Name.SequenceEqual(wanted) && index-- == 0)
            {
                return Encoding.Latin1.GetString(header.Value);
            }
        }

        return null;
    }

    // As in Envoy, values of one name come with commas between them.
    private static string? GetAll(HeaderMap? map, string? name)
    {
        var first = Get(map, name, 0);
        if (first is null || map!.CountOf(Name(name)) is var count && count == 1)
        {
            return first;
        }

        var all = new StringBuilder(first);
        for (var i = 1; i < count; i++)
        {
            all.Append(',').Append(Get(map, name, i));
        }

        return all.ToString();
    }

    private HeaderMap? Map(string? which) => which switch
    {
        "trailers" => Trailers,
        "requestheaders" => exchange.RequestHeaders,
        _ => headers,
    };

    private LuaAnswer SetReason(string phrase)
    {
        // Envoy writes what it gets; a line break there would end the status line.
        var octets = Octets(phrase);
        if (octets.Length > MaxReasonBytes || !HeaderValues.IsValue(octets))
        {
            return LuaAnswer.Failed("the reason phrase cannot be sent");
        }

        headers.ReasonPhrase = octets.Length == 0 ? null : octets;
        return LuaAnswer.Nil;
    }

    private LuaAnswer SetObject(string?[] arguments)
    {
        if (arguments is not [_, { } name, { } factory, { } value, ..] || name.Length + value.Length is var size && size > _metadataLeft)
        {
            return LuaAnswer.Failed("this is too much for filter state");
        }

        if (factory != "envoy.string")
        {
            return LuaAnswer.Failed($"'{factory}' does not have an object factory");
        }

        _metadataLeft -= size;
        exchange.WritableFilterObjects[name] = value;
        return LuaAnswer.Nil;
    }

    private LuaAnswer Override(string address, bool strict)
    {
        // .NET takes a single number for an address.
        if (!address.AsSpan().ContainsAny(".:") || !System.Net.IPEndPoint.TryParse(address, out var wanted))
        {
            return LuaAnswer.Failed("host is not a valid IP address");
        }

        exchange.WantedEndpoint = new WantedEndpoint(wanted, strict);
        return LuaAnswer.Nil;
    }

    private static LuaAnswer Unbase64(string text)
    {
        var padded = text.TrimEnd('=');
        padded += (padded.Length % 4) switch
        {
            2 => "==",
            3 => "=",
            _ => "",
        };
        var bytes = new byte[padded.Length];
        return !padded.AsSpan().ContainsAny(" \t\r\n") && Convert.TryFromBase64String(padded, bytes, out var length)
            ? LuaAnswer.Of(Encoding.Latin1.GetString(bytes, 0, length)) : LuaAnswer.Nil;
    }

    private LuaAnswer Change(string?[] arguments)
    {
        var isTrailers = arguments[1] == "trailers";
        if (!isTrailers && (HeadersAreGone || exchange.Downstream.ResponseStarted))
        {
            return LuaAnswer.Failed("header map can no longer be modified");
        }

        var name = Name(arguments[2]);
        var map = Map(arguments[1])!;
        HeadersChanged |= !isTrailers;
        if (arguments[0] == "remove")
        {
            if (name is not [(byte)':', ..])
            {
                map.Remove(name);
            }

            return LuaAnswer.Nil;
        }

        var value = Octets(arguments[3] ?? "");
        var isPseudo = name is [(byte)':', ..] && map.TryGet(name, out _);
        if ((!isPseudo && !HeaderValues.IsName(name)) || !HeaderValues.IsValue(value) || (isTrailers && (isPseudo || HeaderValues.IsFraming(name))))
        {
            return LuaAnswer.Failed("the header cannot be sent");
        }

        if (map.Count >= MaxHeaders || map.ByteSize + name.Length + value.Length > MaxHeaderBytes)
        {
            return LuaAnswer.Failed("there are too many headers");
        }

        if (arguments[0] == "replace" || isPseudo)
        {
            map.Set(name, value);
        }
        else
        {
            map.Add(name, value);
        }

        return LuaAnswer.Nil;
    }

    private LuaAnswer At(string?[] arguments)
    {
        var index = Number(arguments[2]);
        foreach (var header in Map(arguments[1])!)
        {
            if (index-- == 0)
            {
                return LuaAnswer.Of(arguments[0] == "name" ? Encoding.ASCII.GetString(header.Name) : Encoding.Latin1.GetString(header.Value));
            }
        }

        return LuaAnswer.Nil;
    }

    private LuaAnswer Bytes(int index, int length)
    {
        var body = Body ?? [];
        return index < 0 || length < 0 || (long)index + length > body.Length
            ? LuaAnswer.Failed("index/length must be >= 0 and (index + length) must be <= buffer size")
            : LuaAnswer.Of(Encoding.Latin1.GetString(body, index, length));
    }

    private Struct? Own(Envoy.Config.Core.V3.Metadata? metadata) =>
        metadata?.FilterMetadata.TryGetValue(filterName, out var found) == true ? found : null;

    private LuaAnswer SetDynamic(string?[] arguments)
    {
        // Of a value that cannot be taken nothing is kept: the same as when a script never sets it.
        if (arguments is not [_, { } space, { } key, { } json, ..]
            || space.Length + key.Length + json.Length is var size && (size > MaxMetadataChars || size > _metadataLeft))
        {
            return LuaAnswer.Failed("this is too much for dynamic metadata");
        }

        if (MetadataText.Read(Encoding.UTF8.GetString(Octets(json))) is not { } value)
        {
            return LuaAnswer.Failed("this cannot be dynamic metadata");
        }

        _metadataLeft -= size;
        exchange.WritableMetadata.Set(space, key, value);
        return LuaAnswer.Nil;
    }

    [LoggerMessage(Message = "script log: {Text}")]
    private static partial void LogScript(ILogger logger, LogLevel level, string text);
}

using System.Globalization;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.Tls;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>One run of a script's function for one request: what it sees and changes.</summary>
/// <param name="exchange">The request.</param>
/// <param name="headers">The headers of its side.</param>
/// <param name="trailers">The trailers of its side, as far as they are there.</param>
/// <param name="filterName">The filter's name: the key of its metadata.</param>
/// <param name="route">The filter's settings of the route; null for none.</param>
/// <param name="logger">Where the script logs.</param>
internal sealed partial class LuaRun(HttpExchange exchange, HeaderMap headers, HeaderMap? trailers, string filterName, LuaRouteConfig? route, ILogger logger)
{
    private static readonly LogLevel[] Levels =
        [LogLevel.Trace, LogLevel.Debug, LogLevel.Information, LogLevel.Warning, LogLevel.Error, LogLevel.Critical];

    private const int MaxMetadataChars = 64 * 1024;
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
                return LuaAnswer.Of(Get(Map(arguments[1]), arguments[2], Number(arguments[3])));
            case "count":
                return LuaAnswer.Of(Map(arguments[1])?.CountOf(Name(arguments[2])) ?? 0);
            case "add" or "replace" or "remove":
                return Change(arguments);
            case "name" or "value":
                return At(arguments);
            case "length":
                return LuaAnswer.Of(Body?.Length ?? 0);
            case "bytes":
                return Bytes(Number(arguments[2]), Number(arguments[3]));
            case "setbytes":
                Body = Encoding.Latin1.GetBytes(arguments[2] ?? "");
                BodyChanged = true;
                return LuaAnswer.Of(Body.Length);
            case "hastrailers":
                return trailers is { Count: > 0 } ? LuaAnswer.True : LuaAnswer.Nil;
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
                return LuaAnswer.Of(_answerBody);
            case "metadata":
                return LuaAnswer.Of(LuaValues.Literal(OfRoute()));
            case "context":
                return LuaAnswer.Of(LuaValues.Literal(route?.Context));
            case "dynamic":
                return LuaAnswer.Of(LuaValues.Literal(exchange.Metadata?.Find(arguments[1] ?? "")));
            case "setdynamic":
                return SetDynamic(arguments);
            case "spaces":
                return LuaAnswer.Of(LuaValues.Literal(exchange.Metadata?.All));
            case "importkey":
                return LuaSignatures.Import(arguments[1] ?? "") ? LuaAnswer.True : LuaAnswer.Nil;
            case "verify":
                return LuaSignatures.Verify(arguments[1] ?? "", arguments[2] ?? "", arguments[3] ?? "", arguments[4] ?? "");
            case "info":
                return About(arguments[1] ?? "");
            case "base64":
                return LuaAnswer.Of(Convert.ToBase64String(Encoding.Latin1.GetBytes(arguments[1] ?? "")));
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

    private HeaderMap? Map(string? which) => which is "requesttrailers" or "responsetrailers" ? trailers : headers;

    private LuaAnswer Change(string?[] arguments)
    {
        if (exchange.Downstream.ResponseStarted)
        {
            return LuaAnswer.Failed("header map can no longer be modified");
        }

        var name = Name(arguments[2]);
        var map = Map(arguments[1])!;
        HeadersChanged = true;
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
        if ((!isPseudo && !HeaderValues.IsName(name)) || !HeaderValues.IsValue(value))
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

    private Struct? OfRoute() => exchange.Route?.Message.Metadata?.FilterMetadata.TryGetValue(filterName, out var found) == true ? found : null;

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

    private LuaAnswer Drain()
    {
        exchange.Downstream.CloseConnectionAfterResponse();
        return LuaAnswer.Nil;
    }

    private LuaAnswer About(string what)
    {
        var connection = exchange.Downstream.Connection;
        var certificate = connection.PeerCertificate;
        return what switch
        {
            "protocol" => LuaAnswer.Of(exchange.Downstream.Version switch
            {
                HttpProtocolVersion.Http10 => "HTTP/1.0",
                HttpProtocolVersion.Http11 => "HTTP/1.1",
                _ => "HTTP/2",
            }),
            "routeName" => LuaAnswer.Of(exchange.Route?.Name ?? ""),
            "downstreamLocalAddress" => LuaAnswer.Of(connection.LocalAddress.ToString()),
            "downstreamDirectRemoteAddress" => LuaAnswer.Of(connection.DirectRemoteAddress.ToString()),
            "downstreamRemoteAddress" => LuaAnswer.Of(exchange.RemoteAddress.ToString()),
            "requestedServerName" => LuaAnswer.Of(connection.ServerName),
            "attemptCount" => LuaAnswer.Of(exchange.Upstream.Attempts),
            "responseCodeDetails" => LuaAnswer.Of(exchange.ResponseCodeDetails),
            "drainConnectionUponCompletion" => Drain(),
            "isTls" => connection.IsTls ? LuaAnswer.True : LuaAnswer.Nil,
            "peerCertificatePresented" => certificate is not null ? LuaAnswer.True : LuaAnswer.Nil,
            "peerCertificateValidated" => connection.PeerCertificateValidated ? LuaAnswer.True : LuaAnswer.Nil,
            "tlsVersion" => LuaAnswer.Of(connection.TlsVersion),
            "ciphersuiteString" => LuaAnswer.Of(connection.TlsCipher),
            "subjectPeerCertificate" => LuaAnswer.Of(certificate is null ? "" : CertificateText.Subject(certificate)),
            "issuerPeerCertificate" => LuaAnswer.Of(certificate is null ? "" : CertificateText.Issuer(certificate)),
            "urlEncodedPemEncodedPeerCertificate" => LuaAnswer.Of(certificate is null ? "" : CertificateText.UrlEncodedPem(certificate)),
            "validFromPeerCertificate" => certificate is null ? LuaAnswer.Of(0) : LuaAnswer.Of(new DateTimeOffset(certificate.NotBefore).ToUnixTimeSeconds()),
            "expirationPeerCertificate" => certificate is null ? LuaAnswer.Of(0) : LuaAnswer.Of(new DateTimeOffset(certificate.NotAfter).ToUnixTimeSeconds()),
            "serialNumberPeerCertificate" => LuaAnswer.Of(certificate is null ? "" : CertificateText.Serial(certificate)),
            "sha256PeerCertificateDigest" => LuaAnswer.Of(certificate is null ? "" : CertificateText.Sha256(certificate)),
            _ => LuaAnswer.Nil,
        };
    }

    [LoggerMessage(Message = "script log: {Text}")]
    private static partial void LogScript(ILogger logger, LogLevel level, string text);
}

using System.Net;
using System.Text;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Tests.Pipeline;

/// <summary>A request made of headers, and what was answered to it.</summary>
internal sealed class FakeServerStream : HttpServerStream
{
    private readonly MemoryStream _body = new();
    private readonly DownstreamConnectionInfo _connection;
    private byte[] _requestBody = [];

    public FakeServerStream(DownstreamConnectionInfo? connection, params (string Name, string Value)[] headers)
    {
        _connection = connection ?? Connect("203.0.113.7");
        Version = HttpProtocolVersion.Http11;
        RequestEndedWithHeaders = true;
        foreach (var (name, value) in headers)
        {
            RequestHeaders.Add(Encoding.ASCII.GetBytes(name), Encoding.Latin1.GetBytes(value));
        }
    }

    public override DownstreamConnectionInfo Connection => _connection;

    public HeaderMap Response { get; } = new();

    public byte[] BodyBytes => _body.ToArray();

    public string Body => Encoding.UTF8.GetString(_body.ToArray());

    public StreamResetReason ResetReason { get; private set; }

    public static FakeServerStream Get(string url, params (string Name, string Value)[] headers) => Request("GET", url, headers);

    public static FakeServerStream Request(string method, string url, params (string Name, string Value)[] headers)
    {
        var slash = url.IndexOf('/', StringComparison.Ordinal);
        return new FakeServerStream(null, [(":method", method), (":path", url[slash..]), (":authority", url[..slash]), .. headers]);
    }

    public static FakeServerStream WithBody(string body, params (string Name, string Value)[] headers)
    {
        var stream = Request("POST", "a/", headers);
        stream.RequestEndedWithHeaders = false;
        stream._requestBody = Encoding.UTF8.GetBytes(body);
        return stream;
    }

    public static DownstreamConnectionInfo Connect(string client, bool tls = false) => new()
    {
        Id = 7,
        DirectRemoteAddress = new IPEndPoint(IPAddress.Parse(client), 4711),
        RemoteAddress = new IPEndPoint(IPAddress.Parse(client), 4711),
        LocalAddress = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 8080),
        IsTls = tls,
    };

    public override void OnAborted(IStreamAbortHandler? handler)
    {
    }

    public override ValueTask<BodyRead> ReadBodyAsync() => new(new BodyRead(_requestBody, EndStream: true));

    public override void StopReading()
    {
    }

    public override ValueTask WriteHeadersAsync(HeaderMap headers, bool endStream)
    {
        Response.AddAll(headers);
        ResponseStarted = true;
        ResponseEnded = endStream;
        return default;
    }

    public override ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream)
    {
        _body.Write(data.Span);
        BytesSent += data.Length;
        ResponseEnded = endStream;
        return default;
    }

    public override ValueTask WriteTrailersAsync(HeaderMap trailers)
    {
        ResponseEnded = true;
        return default;
    }

    public override ValueTask FlushAsync() => default;

    public override void Reset(StreamResetReason reason) => ResetReason = reason;

    public bool ClosesConnection { get; private set; }

    public override void CloseConnectionAfterResponse() => ClosesConnection = true;
}

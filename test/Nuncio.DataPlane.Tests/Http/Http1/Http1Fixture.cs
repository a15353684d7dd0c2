using System.Net;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http1;
using Nuncio.DataPlane.Tests.Http.Http2;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.Tests.Http.Http1;

/// <summary>Answers as the test says; a refusal is answered with its status and details, so that tests can see both.</summary>
internal sealed class Http1Processor(Func<HttpServerStream, Task> answer) : HttpStreamProcessor
{
    public List<string> Seen { get; } = [];

    public override async ValueTask ProcessAsync(HttpServerStream stream)
    {
        lock (Seen)
        {
            Seen.Add($"{stream.RequestHeaders.GetText(":method")} {stream.RequestHeaders.GetText(":authority")} {stream.RequestHeaders.GetText(":path")}");
        }

        await answer(stream);
    }

    public override async ValueTask RejectAsync(HttpServerStream stream, int status, string details)
    {
        var headers = new HeaderMap { Status = status };
        headers.Add("x-details"u8, Encoding.ASCII.GetBytes(details));
        await stream.WriteHeadersAsync(headers, true);
    }
}

/// <summary>A server connection with its client's end in memory.</summary>
internal sealed class Http1Fixture : IAsyncDisposable
{
    private readonly MemoryTransport _client;
    private readonly TimerService _timers;
    private readonly StringBuilder _received = new();

    public Http1Fixture(Func<HttpServerStream, Task>? answer = null, Http1ServerOptions? options = null, TimeProvider? time = null)
    {
        _timers = new TimerService(time ?? TimeProvider.System);
        (_client, var server) = MemoryTransport.CreatePair();
        Server = server;
        var end = new IPEndPoint(IPAddress.Loopback, 1);
        var info = new DownstreamConnectionInfo { Id = 1, DirectRemoteAddress = end, RemoteAddress = end, LocalAddress = end };
        Processor = new Http1Processor(answer ?? EchoAsync);
        Connection = new Http1ServerConnection(server, info, options ?? Http1ServerOptions.Default, Processor, _timers);
        Running = Connection.RunAsync();
    }

    /// <summary>The server's end.</summary>
    public MemoryTransport Server { get; }

    public Http1Processor Processor { get; }

    public Http1ServerConnection Connection { get; }

    public Task Running { get; }

    /// <summary>Answers 200 with the request's body, by length where there is none.</summary>
    public static async Task EchoAsync(HttpServerStream stream)
    {
        if (stream.RequestEndedWithHeaders)
        {
            await RespondAsync(stream, "ok");
            return;
        }

        var body = new MemoryStream();
        while (true)
        {
            var read = await stream.ReadBodyAsync();
            if (read.Error != StreamResetReason.None)
            {
                stream.Reset(read.Error);
                return;
            }

            body.Write(read.Data.Span);
            if (read.EndStream)
            {
                await RespondAsync(stream, Encoding.Latin1.GetString(body.ToArray()));
                return;
            }
        }
    }

    public static async Task RespondAsync(HttpServerStream stream, string body)
    {
        var headers = new HeaderMap { Status = 200 };
        headers.Add(KnownHeader.ContentLength, Encoding.ASCII.GetBytes(body.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        await stream.WriteHeadersAsync(headers, body.Length == 0);
        if (body.Length > 0)
        {
            await stream.WriteBodyAsync(Encoding.Latin1.GetBytes(body), true);
        }
    }

    public async Task SendAsync(string bytes) => await _client.WriteAsync(Encoding.Latin1.GetBytes(bytes));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _client.WriteAsync(bytes);

    public Task EndAsync() => _client.ShutdownWriteAsync().AsTask();

    public void Abort() => _client.Abort();

    /// <summary>Reads until the received text has <paramref name="part"/>.</summary>
    public async Task<string> ReceiveAsync(string part)
    {
        var buffer = new byte[65536];
        while (!_received.ToString().Contains(part, StringComparison.Ordinal))
        {
            var read = await _client.ReadAsync(buffer).AsTask().WaitAsync(Until.Limit);
            if (read <= 0)
            {
                throw new InvalidOperationException($"The connection ended after: {_received}");
            }

            _received.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        return _received.ToString();
    }

    /// <summary>Reads to the end.</summary>
    public async Task<string> ReceiveAllAsync()
    {
        var buffer = new byte[65536];
        int read;
        while ((read = await _client.ReadAsync(buffer).AsTask().WaitAsync(Until.Limit)) > 0)
        {
            _received.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        return _received.ToString();
    }

    /// <summary>Sends, ends, and gives everything that comes.</summary>
    public static async Task<string> ExchangeAsync(string request, Func<HttpServerStream, Task>? answer = null, Http1ServerOptions? options = null)
    {
        await using var fixture = new Http1Fixture(answer, options);
        await fixture.SendAsync(request);
        await fixture.EndAsync();
        return await fixture.ReceiveAllAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Abort();
        await Running.WaitAsync(Until.Limit);
        _timers.Dispose();
    }
}

using System.Globalization;
using System.Net;
using System.Text;
using System.Threading.Channels;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Tests.Http.Http2;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Tests.Forwarding;

/// <summary>Connections of the proxy to upstreams, in memory: each comes to the test, which plays the upstream.</summary>
internal sealed class MemoryConnector : TransportConnector
{
    private readonly Channel<UpstreamPeer> _accepted = Channel.CreateUnbounded<UpstreamPeer>();
    private int _connects;

    /// <summary>Connections that were asked for, made or not.</summary>
    public int Connects => Volatile.Read(ref _connects);

    /// <summary>Ports on which nobody listens.</summary>
    public HashSet<int> Refused { get; } = [];

    /// <summary>Connections are not made before this; null for at once.</summary>
    public TaskCompletionSource? Gate { get; set; }

    public override async ValueTask<TransportConnect> ConnectAsync(IPEndPoint remote, TransportConnectOptions options, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _connects);
        if (Gate is { } gate)
        {
            await gate.Task.WaitAsync(Until.Limit, cancellationToken);
        }

        if (Refused.Contains(remote.Port))
        {
            return new TransportConnect(null, StreamResetReason.ConnectionFailure, "refused");
        }

        var (ours, theirs) = MemoryTransport.CreatePair();
        ours.LocalPort = 1000 + remote.Port;
        _accepted.Writer.TryWrite(new UpstreamPeer(theirs, remote.Port));
        return TransportConnect.Of(ours);
    }

    /// <summary>The next connection; it has come already, or will.</summary>
    public Task<UpstreamPeer> AcceptAsync() => _accepted.Reader.ReadAsync().AsTask();
}

/// <summary>The upstream's end of one connection.</summary>
internal sealed class UpstreamPeer(MemoryTransport transport, int port)
{
    private readonly StringBuilder _received = new();

    /// <summary>The endpoint that it stands for.</summary>
    public int Port => port;

    /// <summary>Reads a request with its body, by length or in chunks; null at the connection's end.</summary>
    public async Task<string?> ReadRequestAsync()
    {
        var buffer = new byte[65536];
        while (!IsWhole())
        {
            var read = await transport.ReadAsync(buffer).AsTask().WaitAsync(Until.Limit);
            if (read <= 0)
            {
                return null;
            }

            _received.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        var request = _received.ToString();
        _received.Clear();
        return request;
    }

    public async Task RespondAsync(int status, string body = "ok", string headers = "") => await SendAsync(
        string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} x\r\n{headers}content-length: {body.Length}\r\n\r\n{body}"));

    public async Task SendAsync(string text) => await transport.WriteAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Ends the connection.</summary>
    public void Close() => transport.Abort();

    /// <summary>Waits until the proxy ends the connection.</summary>
    public async Task WaitForEndAsync()
    {
        var buffer = new byte[65536];
        while (await transport.ReadAsync(buffer).AsTask().WaitAsync(Until.Limit) > 0)
        {
            // What was on its way.
        }
    }

    private bool IsWhole()
    {
        var text = _received.ToString();
        var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (head < 0)
        {
            return false;
        }

        if (text[..head].Contains("transfer-encoding: chunked", StringComparison.Ordinal))
        {
            return text.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
        }

        const string Length = "content-length: ";
        var at = text.IndexOf(Length, 0, head, StringComparison.Ordinal);
        return at < 0
            || text.Length - head - 4 >= int.Parse(text.AsSpan(at + Length.Length, text.IndexOf('\r', at) - at - Length.Length), CultureInfo.InvariantCulture);
    }
}

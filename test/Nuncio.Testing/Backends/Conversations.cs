using System.Globalization;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

namespace Nuncio.Testing.Backends;

/// <summary>Conversations of backends that are more than request and response.</summary>
public static class Conversations
{
    /// <summary>Answers nothing until the gate opens; then 200 with the text.</summary>
    public static BackendConversation Gated(Task gate, string body = "late") => async (wire, cancellationToken) =>
    {
        while (await wire.ReadRequestAsync(cancellationToken) is not null)
        {
            await gate.WaitAsync(cancellationToken);
            await wire.WriteAsync(Responses.Ok(body), cancellationToken);
        }
    };

    /// <summary>Never answers.</summary>
    public static BackendConversation Silent => static async (wire, cancellationToken) => await wire.ReadToEndAsync(cancellationToken);

    /// <summary>Closes each connection as soon as a request came in.</summary>
    public static BackendConversation Closing => static async (wire, cancellationToken) => await wire.ReadRequestAsync(cancellationToken);

    /// <summary>Sends the head and part of the body, then closes.</summary>
    public static BackendConversation BreakingOff => static async (wire, cancellationToken) =>
    {
        await wire.ReadRequestAsync(cancellationToken);
        await wire.WriteAsync(Responses.LyingLength(1000, "only this"), cancellationToken);
    };

    /// <summary>Sends each chunk when the next item of the sequence comes.</summary>
    public static BackendConversation Streaming(Func<CancellationToken, IAsyncEnumerable<string>> chunks) => async (wire, cancellationToken) =>
    {
        while (await wire.ReadRequestAsync(cancellationToken) is not null)
        {
            await wire.WriteAsync("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", cancellationToken);
            await foreach (var chunk in chunks(cancellationToken))
            {
                await wire.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{chunk.Length:x}\r\n{chunk}\r\n"), cancellationToken);
            }

            await wire.WriteAsync("0\r\n\r\n", cancellationToken);
        }
    };

    /// <summary>Takes a WebSocket handshake (RFC 6455) and sends every byte after it back; frames are the client's matter.</summary>
    public static BackendConversation WebSocketBytesBack => static async (wire, cancellationToken) =>
    {
        if (await wire.ReadRequestAsync(cancellationToken) is { } request) await SwitchAndSendBackAsync(wire, request, cancellationToken);
    };

    /// <summary>Answers a WebSocket handshake that was read already, and sends every byte after it back.</summary>
    public static async Task SwitchAndSendBackAsync(HttpWire wire, BackendRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(wire);
        ArgumentNullException.ThrowIfNull(request);
        if (request["Sec-WebSocket-Key"] is not { } key)
        {
            await wire.WriteAsync(Responses.With(400), cancellationToken);
            return;
        }

        await wire.WriteAsync(SwitchingProtocols(key), cancellationToken);
        for (int next; (next = await wire.ReadByteAsync(cancellationToken)) >= 0;) await wire.WriteAsync(new[] { (byte)next }, cancellationToken);
    }

    /// <summary>Takes a WebSocket handshake (RFC 6455) and sends each message back until the client closes.</summary>
    public static BackendConversation WebSocketEcho => static async (wire, cancellationToken) =>
    {
        if (await wire.ReadRequestAsync(cancellationToken) is not { } request) return;
        await wire.WriteAsync(SwitchingProtocols(request["Sec-WebSocket-Key"] ?? ""), cancellationToken);
        using var socket = WebSocket.CreateFromStream(wire.Stream, new WebSocketCreationOptions { IsServer = true });
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var message = await socket.ReceiveAsync(buffer, cancellationToken);
            if (message.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
                return;
            }

            await socket.SendAsync(buffer.AsMemory(0, message.Count), message.MessageType, message.EndOfMessage, cancellationToken);
        }
    };

    private static string SwitchingProtocols(string key) =>
        $"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {AcceptOf(key)}\r\n\r\n";

    // RFC 6455 section 1.3 asks for SHA-1.
#pragma warning disable CA5350
    private static string AcceptOf(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
}

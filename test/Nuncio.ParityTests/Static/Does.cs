using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Nuncio.ParityTests.Http2;
using Nuncio.Testing.Backends;

namespace Nuncio.ParityTests.Static;

/// <summary>Scenarios of common kinds. <c>ID</c> in what is sent stands for the scenario's name.</summary>
internal static class Does
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Sends bytes, and reads one answer or several; looks whether the connection lives on.</summary>
    public static Scenario Http1(
        string name, string listener, string bytes, int answers = 1, TimeSpan? takes = null, string? serverName = null, Action<SslClientAuthenticationOptions>? tls = null, bool lives = true) =>
        new(name, (plane, seen) => WithClientAsync(plane, seen, listener, serverName, tls, async (client, cancellation) =>
        {
            var clock = Stopwatch.StartNew();
            await client.Wire.WriteAsync(bytes.Replace("ID", name, StringComparison.Ordinal), cancellation);
            for (var i = 0; i < answers; i++) seen.AddResponse(await client.Wire.ReadResponseAsync(bytes.Split(' ')[0], cancellation), i == 0 ? "" : $"{i} ");
            if (takes is { } expected) seen.AddTime(clock.Elapsed, expected);
            if (lives) seen.Add("connection", await client.LivesAsync(cancellation) ? "kept" : "closed");
        }));

    /// <summary>GET with a mark and further header lines.</summary>
    public static Scenario Get(string name, string listener, string path, string headers = "", TimeSpan? takes = null, string host = "example.com") =>
        Http1(name, listener, $"GET {path}?ID HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n", takes: takes);

    /// <summary>The same request so often, on a connection each; how often which status came.</summary>
    public static Scenario Repeated(string name, string listener, string path, int times, string headers = "", bool together = false, int pause = 0) => new(name, async (plane, seen) =>
    {
        var statuses = new int[times];
        async Task AskAsync(int i)
        {
            // One after the other, so that each meets what the last one left.
            if (together) await Task.Delay(i * 100);
            await using var client = await WireClient.ConnectAsync(plane.Port("l:" + listener));
            await client.Wire.WriteAsync($"GET {path}?{name} HTTP/1.1\r\nhost: example.com\r\n{headers.Replace("$(i)", i.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)}\r\n");
            statuses[i] = (await client.Wire.ReadResponseAsync()).Status;
        }

        if (together) await Task.WhenAll(Enumerable.Range(0, times).Select(AskAsync));
        else for (var i = 0; i < times; i++)
        {
            await AskAsync(i);
            await Task.Delay(pause);
        }

        seen.Add("statuses", string.Join(' ', statuses.GroupBy(status => status).OrderBy(group => group.Key).Select(group => $"{group.Key}*{group.Count()}")));
    });

    /// <summary>One HTTP/2 request and all that comes of it.</summary>
    public static Scenario Http2(
        string name, string listener, string path, string headers = "", byte[]? body = null, string trailers = "", string method = "", TimeSpan? takes = null, string authority = "example.com") =>
        new(name, (plane, seen) => WithClientAsync(plane, seen, listener, null, null, async (client, cancellation) =>
        {
            var wire = new Http2Wire(client.Stream);
            await wire.StartClientAsync();
            var clock = Stopwatch.StartNew();
            var all = Pseudo(method.Length > 0 ? method : body is null ? "GET" : "POST", path + "?" + name, authority).Concat(Fields(headers));
            await wire.WriteHeadersAsync(1, all, body is null && trailers.Length == 0);
            var writing = WriteRestAsync(wire, body, trailers);
            await AddAnswerAsync(wire, seen, 1, cancellation);
            if (takes is { } expected) seen.AddTime(clock.Elapsed, expected);
        }));

    /// <summary>Frames after the client's preface, right or wrong; what comes back until a stream's end, a reset or the connection's end.</summary>
    public static Scenario Frames(string name, string listener, params byte[][] frames) => new(name, (plane, seen) => WithClientAsync(plane, seen, listener, null, null, async (client, cancellation) =>
    {
        var wire = new Http2Wire(client.Stream);
        await wire.StartClientAsync();
        await wire.WriteAsync([.. frames.SelectMany(frame => frame)]);
        try
        {
            await AddAnswerAsync(wire, seen, 1, cancellation);
            await wire.WriteAsync(WireFrame.Ping, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]);
            while (await wire.ReadAsync(cancellation) is { } frame)
            {
                if (frame.Type == WireFrame.GoAway) seen.Add("goaway", frame.Code.ToString(CultureInfo.InvariantCulture));
                if (frame.Type == WireFrame.Ping && frame.Flags == 1)
                {
                    seen.Add("connection", "kept");
                    return;
                }
            }
        }
        catch (IOException)
        {
            // Closed, with or without what was on the way.
        }

        seen.Add("connection", "closed");
    }));

    // Beside the reading: the answer may come early, and what is sent waits for windows.
    private static async Task WriteRestAsync(Http2Wire wire, byte[]? body, string trailers)
    {
        try
        {
            if (body is not null) await wire.WriteDataAsync(1, body, trailers.Length == 0);
            if (trailers.Length > 0) await wire.WriteHeadersAsync(1, Fields(trailers), end: true);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The reading says what became of it.
        }
    }

    public static IEnumerable<(string Name, string Value)> Pseudo(string method, string path, string authority = "example.com") =>
        [(":method", method), (":scheme", "http"), (":authority", authority), (":path", path)];

    /// <summary>Lines as of HTTP/1.1.</summary>
    public static IEnumerable<(string Name, string Value)> Fields(string lines) =>
        lines.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(line => (line[..line.IndexOf(": ", StringComparison.Ordinal)], line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..]));

    /// <summary>Reads a stream to its end.</summary>
    public static async Task AddAnswerAsync(Http2Wire wire, Observation seen, int stream, CancellationToken cancellation, string prefix = "")
    {
        var body = new MemoryStream();
        var interim = new List<string>();
        var hasHead = false;
        var end = "connection closed";
        while (await NextAsync(wire, cancellation) is { } frame)
        {
            if (frame.Type == WireFrame.GoAway)
            {
                seen.Add(prefix + "goaway", frame.Code.ToString(CultureInfo.InvariantCulture));
                continue;
            }

            if (frame.Stream != stream) continue;
            if (frame.Type == WireFrame.Reset)
            {
                end = $"reset {frame.Code}";
                break;
            }

            if (frame.Type == WireFrame.Data) body.Write(frame.Payload);
            if (frame.Type == WireFrame.Headers)
            {
                var status = frame.Block.FirstOrDefault(header => header.Name == ":status").Value;
                if (status?[0] == '1')
                {
                    interim.Add(status);
                }
                else if (hasHead)
                {
                    seen.Add(prefix + "trailers", string.Join(" | ", frame.Block.Select(header => $"{header.Name}: {header.Value}").Order(StringComparer.Ordinal)));
                }
                else
                {
                    hasHead = true;
                    foreach (var header in frame.Block.GroupBy(header => header.Name))
                        seen.Add($"{prefix}header {header.Key}", string.Join(" | ", header.Select(value => header.Key == "x-envoy-upstream-service-time" ? "N" : value.Value)));
                    seen.Add(prefix + "ends with headers", frame.EndStream ? "yes" : "no");
                }
            }

            if (!frame.EndStream) continue;
            end = "complete";
            break;
        }

        seen.Add(prefix + "interim", string.Join(' ', interim));
        seen.Add(prefix + "body", Encoding.Latin1.GetString(body.ToArray()));
        seen.Add(prefix + "end", end);
    }

    // A connection that is reset has ended like one that is closed.
    private static async Task<WireFrame?> NextAsync(Http2Wire wire, CancellationToken cancellation)
    {
        try
        {
            return await wire.ReadAsync(cancellation);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Connects, and notes how that or what follows fails.</summary>
    public static async Task WithClientAsync(
        StaticPlane plane, Observation seen, string listener, string? serverName, Action<SslClientAuthenticationOptions>? tls, Func<WireClient, CancellationToken, Task> talk)
    {
        try
        {
            using var limit = new CancellationTokenSource(Limit);
            await using var client = serverName is null
                ? await WireClient.ConnectAsync(plane.Port("l:" + listener))
                : await WireClient.ConnectTlsAsync(plane.Port("l:" + listener), serverName, tls);
            await talk(client, limit.Token);
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidDataException or EndOfStreamException or AuthenticationException)
        {
            seen.Add("failure", e is AuthenticationException ? "TLS refused" : "closed");
        }
        catch (OperationCanceledException)
        {
            seen.Add("failure", "no answer in time");
        }
    }
}

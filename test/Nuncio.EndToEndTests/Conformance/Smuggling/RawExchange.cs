using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Nuncio.EndToEndTests.Conformance.Smuggling;

/// <summary>Sends bytes on a connection of their own and tells what came back: <c>200</c> from the upstream, <c>400L</c> from the proxy itself, <c>close</c>.</summary>
internal static class RawExchange
{
    /// <summary>Sends and reads until what has come is enough, the connection ends, or nothing has come for as long as <paramref name="patience"/>.</summary>
    public static async Task<string> SendAsync(int port, string request, Func<string, bool> isEnough, TimeSpan patience)
    {
        using var client = new TcpClient { NoDelay = true };
        using var whole = new CancellationTokenSource(Until.Limit);
        await client.ConnectAsync("127.0.0.1", port, whole.Token);
        var stream = client.GetStream();
        var received = new StringBuilder();
        var closed = false;
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(request), whole.Token);
        }
        catch (IOException)
        {
            // It closed before it had read all of it.
        }

        var buffer = new byte[64 * 1024];
        while (!closed && !isEnough(Tell(request, received.ToString(), false)))
        {
            using var limit = new CancellationTokenSource(patience);
            try
            {
                var read = await stream.ReadAsync(buffer, limit.Token);
                closed = read == 0;
                received.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
            catch (OperationCanceledException)
            {
                break;
            }
            catch (IOException)
            {
                closed = true;
            }
        }

        return Tell(request, received.ToString(), closed);
    }

    private static string Tell(string request, string received, bool closed)
    {
        var told = new List<string>();
        var isHead = request.StartsWith("HEAD ", StringComparison.Ordinal);
        while (received.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and var end)
        {
            var head = received[..end];
            var length = Length(head);
            if (head.Length < 12 || (!isHead && received.Length < end + 4 + length)) break;
            received = received[(end + 4 + (isHead ? 0 : length))..];
            var status = head[9..12];
            if (status == "100") continue;
            told.Add(head.Contains(RecordingUpstream.Mark, StringComparison.Ordinal) ? status : status + "L");
        }

        if (closed) told.Add("close");
        return told.Count == 0 ? "-" : string.Join(' ', told);
    }

    private static int Length(string head)
    {
        const string Name = "\r\ncontent-length: ";
        var at = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
        if (at < 0) return 0;
        var end = head.IndexOf('\r', at + 2);
        return int.Parse(head.AsSpan()[(at + Name.Length)..(end < 0 ? head.Length : end)], CultureInfo.InvariantCulture);
    }
}

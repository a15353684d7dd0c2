using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Nuncio.EndToEndTests.Conformance.Smuggling;

/// <summary>
/// The upstream that requests are smuggled to: reads as RFC 9112 has it to the letter, answers every complete request, and notes under the request's mark
/// what it saw. Whatever a more lenient reader could take otherwise is noted as ambiguous.
/// </summary>
internal sealed partial class RecordingUpstream : IAsyncDisposable
{
    /// <summary>The header of its answers, so that a proxy's own answers can be told from them.</summary>
    public const string Mark = "x-upstream";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _complete = new(StringComparer.Ordinal);
    private readonly Task _accepting;

    public RecordingUpstream()
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>What could be read in two ways.</summary>
    public ConcurrentQueue<string> Ambiguous { get; } = [];

    /// <summary>The complete requests of a mark: method, target, host and body.</summary>
    public IReadOnlyList<string> Complete(string mark) => _complete.TryGetValue(mark, out var requests) ? [.. requests] : [];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = TalkAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task TalkAsync(TcpClient client)
    {
        using var own = client;
        client.NoDelay = true;
        await using var stream = new BufferedStream(client.GetStream(), 64 * 1024);
        try
        {
            while (await ReadHeadAsync(stream) is { } head)
            {
                var (line, host, length, chunked) = Check(head);
                var body = chunked ? await ReadChunksAsync(stream) : await ReadAsync(stream, length);
                _complete.GetOrAdd(MarkOf(head), static _ => []).Enqueue($"{line} | {host} | {body}");
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n{Mark}: 1\r\n\r\nok"), _stop.Token);
                await stream.FlushAsync(_stop.Token);
            }
        }
        catch (InvalidDataException e)
        {
            Ambiguous.Enqueue(e.Message);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or EndOfStreamException)
        {
            // The proxy gave the request up.
        }
    }

    private static string MarkOf(string head) => MarkPattern().Match(head) is { Success: true } match ? match.Value.ToLowerInvariant() : "?";

    // The head, or null at the end.
    private async Task<string?> ReadHeadAsync(Stream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (true)
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0) return head.Length == 0 ? null : throw new EndOfStreamException();
            head.Append((char)one[0]);
            if (head.Length >= 4 && one[0] == '\n' && head.ToString(head.Length - 4, 4) == "\r\n\r\n") return head.ToString();
        }
    }

    private static (string Line, string Host, int Length, bool Chunked) Check(string head)
    {
        if (BareControl().IsMatch(head)) throw new InvalidDataException($"a control character in {head}");
        var lines = head[..^4].Split("\r\n");
        if (lines[0].Split(' ').Length != 3) throw new InvalidDataException($"the request line {lines[0]}");
        var fields = new List<(string Name, string Value)>();
        foreach (var line in lines[1..])
        {
            var field = Field().Match(line);
            if (!field.Success) throw new InvalidDataException($"the header line {line}");
            fields.Add((field.Groups[1].Value.ToLowerInvariant(), field.Groups[2].Value.Trim(' ', '\t')));
        }

        var hosts = fields.Where(field => field.Name == "host").ToList();
        var lengths = fields.Where(field => field.Name == "content-length").ToList();
        var codings = fields.Where(field => field.Name == "transfer-encoding").ToList();
        if (hosts.Count != 1) throw new InvalidDataException($"{hosts.Count} hosts in {head}");
        if (lengths.Count > 1 || codings.Count > 1 || (lengths.Count + codings.Count > 1)) throw new InvalidDataException($"two framings in {head}");
        if (codings.Count == 1 && codings[0].Value != "chunked") throw new InvalidDataException($"the coding {codings[0].Value}");
        if (lengths.Count == 1 && !Digits().IsMatch(lengths[0].Value)) throw new InvalidDataException($"the length {lengths[0].Value}");
        var length = lengths.Count == 1 ? (int)Math.Min(decimal.Parse(lengths[0].Value, CultureInfo.InvariantCulture), int.MaxValue) : 0;
        return (lines[0], hosts[0].Value, length, codings.Count == 1);
    }

    private async Task<string> ReadChunksAsync(Stream stream)
    {
        var body = new StringBuilder();
        while (true)
        {
            var line = await ReadLineAsync(stream);
            if (!ChunkSize().IsMatch(line)) throw new InvalidDataException($"the chunk size {line}");
            var size = int.Parse(line, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (size == 0)
            {
                while ((await ReadLineAsync(stream)).Length > 0)
                {
                    // Trailers.
                }

                return body.ToString();
            }

            body.Append(await ReadAsync(stream, size));
            if (await ReadLineAsync(stream) is not "") throw new InvalidDataException("a chunk that is longer than it says");
        }
    }

    private async Task<string> ReadLineAsync(Stream stream)
    {
        var line = new StringBuilder();
        while (!(line.Length >= 2 && line[^2] == '\r' && line[^1] == '\n')) line.Append(await ReadAsync(stream, 1));
        return line.ToString(0, line.Length - 2);
    }

    private async Task<string> ReadAsync(Stream stream, int length)
    {
        // Grown as bytes come: what is announced need not be true.
        var body = new StringBuilder();
        var buffer = new byte[Math.Min(length, 64 * 1024)];
        while (body.Length < length)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, length - body.Length)), _stop.Token);
            if (read == 0) throw new EndOfStreamException();
            body.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        return body.ToString();
    }

    [GeneratedRegex("(?<![0-9a-z])t[0-9]{4}(?![0-9])", RegexOptions.IgnoreCase)]
    private static partial Regex MarkPattern();

    [GeneratedRegex("(?<!\r)\n|\r(?!\n)|\0")]
    private static partial Regex BareControl();

    [GeneratedRegex("^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$", RegexOptions.Singleline)]
    private static partial Regex Field();

    [GeneratedRegex("^[0-9]+$")]
    private static partial Regex Digits();

    [GeneratedRegex("^[0-9a-fA-F]{1,7}$")]
    private static partial Regex ChunkSize();
}

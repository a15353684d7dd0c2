using System.Globalization;
using System.Text;

namespace Nuncio.Testing.Backends;

/// <summary>
/// Reads HTTP/1.1 messages off a stream for tests: strict about framing, blind to meaning. It shares no code with the proxy, so that the two
/// cannot be wrong in the same way.
/// </summary>
public sealed class HttpWire(Stream stream)
{
    /// <summary>How long a read or write waits for the other side before the test fails: a hang must end, and nothing that works takes this long.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    /// <summary>The stream below; bytes may already have been read from it.</summary>
    public Stream Stream => stream;

    /// <summary>Writes text as Latin-1, as it stands.</summary>
    public Task WriteAsync(string text, CancellationToken cancellationToken = default) => WriteAsync(Encoding.Latin1.GetBytes(text), cancellationToken);

    /// <summary>Writes bytes as they stand.</summary>
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            await stream.WriteAsync(bytes, limit.Token);
            await stream.FlushAsync(limit.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException($"The other side did not take {bytes.Length} bytes within {Patience}", e);
        }
    }

    /// <summary>The next byte, or -1 at the end.</summary>
    public async ValueTask<int> ReadByteAsync(CancellationToken cancellationToken = default)
    {
        if (_start == _end)
        {
            _start = 0;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Patience);
            try
            {
                _end = await stream.ReadAsync(_buffer, limit.Token);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException($"Nothing came within {Patience}", e);
            }

            if (_end == 0) return -1;
        }

        return _buffer[_start++];
    }

    /// <summary>A line without its CR LF, or null at the end of the stream.</summary>
    public async Task<string?> ReadLineAsync(CancellationToken cancellationToken = default)
    {
        var line = new StringBuilder();
        while (true)
        {
            var next = await ReadByteAsync(cancellationToken);
            if (next < 0) return line.Length == 0 ? null : throw new EndOfStreamException($"in the line '{line}'");
            if (next == '\n')
            {
                if (line.Length == 0 || line[^1] != '\r') throw new InvalidDataException($"a line ends with a bare LF: '{line}'");
                return line.ToString(0, line.Length - 1);
            }

            line.Append((char)next);
        }
    }

    /// <summary>Exactly so many bytes.</summary>
    public async Task<byte[]> ReadExactlyAsync(int count, CancellationToken cancellationToken = default)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            var next = await ReadByteAsync(cancellationToken);
            if (next < 0) throw new EndOfStreamException($"after {i} of {count} bytes");
            bytes[i] = (byte)next;
        }

        return bytes;
    }

    /// <summary>Everything until the other side closes.</summary>
    public async Task<byte[]> ReadToEndAsync(CancellationToken cancellationToken = default)
    {
        var bytes = new List<byte>();
        for (int next; (next = await ReadByteAsync(cancellationToken)) >= 0;) bytes.Add((byte)next);
        return [.. bytes];
    }

    /// <summary>Header lines up to the empty one.</summary>
    public async Task<List<KeyValuePair<string, string>>> ReadHeadersAsync(CancellationToken cancellationToken = default)
    {
        var headers = new List<KeyValuePair<string, string>>();
        while (await ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length == 0) return headers;
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0) throw new InvalidDataException($"not a header: '{line}'");
            headers.Add(new(line[..colon], line[(colon + 1)..].Trim(' ', '\t')));
        }

        throw new EndOfStreamException("in the headers");
    }

    /// <summary>A chunked body, with its trailers.</summary>
    public async Task<(byte[] Body, List<KeyValuePair<string, string>> Trailers)> ReadChunkedAsync(CancellationToken cancellationToken = default)
    {
        var body = new MemoryStream();
        while (true)
        {
            var line = await ReadLineAsync(cancellationToken) ?? throw new EndOfStreamException("in a chunked body");
            var size = int.Parse(line.Split(';')[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (size == 0) return (body.ToArray(), await ReadHeadersAsync(cancellationToken));
            body.Write(await ReadExactlyAsync(size, cancellationToken));
            if (await ReadLineAsync(cancellationToken) is not "") throw new InvalidDataException("a chunk is longer than it says");
        }
    }

    /// <summary>One request, or null when the other side closed before it.</summary>
    public async Task<BackendRequest?> ReadRequestAsync(CancellationToken cancellationToken = default)
    {
        if (await ReadLineAsync(cancellationToken) is not { } line) return null;
        var words = line.Split(' ');
        if (words.Length != 3) throw new InvalidDataException($"not a request line: '{line}'");
        var headers = await ReadHeadersAsync(cancellationToken);
        var head = new BackendRequest(words[0], words[1], words[2], headers, [], []);
        if (head["Expect"] is not null) await WriteAsync("HTTP/1.1 100 Continue\r\n\r\n", cancellationToken);
        if (head["Transfer-Encoding"] is not null)
        {
            var (body, trailers) = await ReadChunkedAsync(cancellationToken);
            return head with { Body = body, Trailers = trailers };
        }

        return head["Content-Length"] is { } length
            ? head with { Body = await ReadExactlyAsync(int.Parse(length, CultureInfo.InvariantCulture), cancellationToken) }
            : head;
    }

    /// <summary>One response to a request of the given method; interim ones (1xx but 101) are kept apart.</summary>
    public async Task<WireResponse> ReadResponseAsync(string method = "GET", CancellationToken cancellationToken = default)
    {
        var interim = new List<int>();
        while (true)
        {
            var line = await ReadLineAsync(cancellationToken) ?? throw new EndOfStreamException("no response");
            var status = int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
            var headers = await ReadHeadersAsync(cancellationToken);
            if (status is >= 100 and < 200 and not 101)
            {
                interim.Add(status);
                continue;
            }

            var response = new WireResponse(line, status, headers, [], [], interim);
            if (method == "HEAD" || status is 101 or 204 or 304) return response;
            if (response["Transfer-Encoding"] is not null)
            {
                var (body, trailers) = await ReadChunkedAsync(cancellationToken);
                return response with { Body = body, Trailers = trailers };
            }

            return response with
            {
                Body = response["Content-Length"] is { } length
                    ? await ReadExactlyAsync(int.Parse(length, CultureInfo.InvariantCulture), cancellationToken)
                    : await ReadToEndAsync(cancellationToken),
            };
        }
    }
}

using System.Buffers.Text;
using System.IO.Compression;
using System.Text;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>Compresses responses with gzip for clients that take it (envoy.filters.http.compressor).</summary>
public sealed class CompressorFilter : HttpFilter
{
    private static readonly object Wanted = new();

    /// <summary>Responses of an announced length below this stay as they are.</summary>
    public required long MinContentLength { get; init; }

    /// <summary>Content types that are compressed, lower-case.</summary>
    public required IReadOnlyList<byte[]> ContentTypes { get; init; }

    /// <summary>Responses with an ETag stay as they are.</summary>
    public bool DisableOnEtag { get; init; }

    /// <summary>Upstreams do not see accept-encoding.</summary>
    public bool RemoveAcceptEncoding { get; init; }

    /// <summary>How hard to try.</summary>
    public CompressionLevel Level { get; init; } = CompressionLevel.Optimal;

    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        exchange.FilterState[Index] = AcceptsGzip(exchange.RequestHeaders) ? Wanted : null;
        if (RemoveAcceptEncoding)
        {
            exchange.RequestHeaders.Remove(KnownHeader.AcceptEncoding);
        }

        return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
    }

    /// <inheritdoc/>
    public override void OnResponseHeaders(HttpExchange exchange, HeaderMap headers, bool endStream)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        ArgumentNullException.ThrowIfNull(headers);
        if (exchange.IsUpgrade || !IsCompressible(headers))
        {
            return;
        }

        if (!endStream && exchange.FilterState[Index] == Wanted && !exchange.RequestHeaders.Get(KnownHeader.Method).SequenceEqual("HEAD"u8))
        {
            // A strong ETag names other bytes than the client gets now.
            if (headers.TryGet(KnownHeader.Etag, out var etag) && !etag.StartsWith("W/"u8))
            {
                headers.Remove(KnownHeader.Etag);
            }

            headers.Remove(KnownHeader.ContentLength);
            headers.Set(KnownHeader.ContentEncoding, "gzip"u8);
            exchange.ResponseBody = new GzipSink(exchange.ResponseBody, Level);
        }

        // Caches in between must know that others may get it compressed, whatever this client got.
        AddVary(headers);
    }

    private static bool AcceptsGzip(HeaderMap headers)
    {
        foreach (var header in headers)
        {
            if (header.Known != KnownHeader.AcceptEncoding)
            {
                continue;
            }

            for (var rest = header.Value; !rest.IsEmpty;)
            {
                var comma = rest.IndexOf((byte)',');
                var item = comma < 0 ? rest : rest[..comma];
                rest = comma < 0 ? default : rest[(comma + 1)..];
                var semicolon = item.IndexOf((byte)';');
                var coding = (semicolon < 0 ? item : item[..semicolon]).Trim((byte)' ');
                if ((Ascii.EqualsIgnoreCase(coding, "gzip"u8) || coding.SequenceEqual("*"u8)) && !(semicolon >= 0 && IsZero(item[(semicolon + 1)..])))
                {
                    return true;
                }
            }
        }

        return false;
    }

    // q=0, q=0.0 and the like.
    private static bool IsZero(ReadOnlySpan<byte> parameter)
    {
        parameter = parameter.Trim((byte)' ');
        return parameter.Length > 2 && (parameter[0] | 0x20) == 'q' && parameter[1] == '=' && !parameter[2..].ContainsAnyExcept("0."u8);
    }

    private bool IsCompressible(HeaderMap headers)
    {
        if (headers.Contains(KnownHeader.ContentEncoding) || (DisableOnEtag && headers.Contains(KnownHeader.Etag)))
        {
            return false;
        }

        if (headers.TryGet(KnownHeader.ContentLength, out var text) && Utf8Parser.TryParse(text, out long length, out _) && length < MinContentLength)
        {
            return false;
        }

        if (headers.TryGet("cache-control"u8, out var cache) && cache.IndexOf("no-transform"u8) >= 0)
        {
            return false;
        }

        var type = headers.Get(KnownHeader.ContentType);
        var end = type.IndexOf((byte)';');
        type = (end < 0 ? type : type[..end]).Trim((byte)' ');
        if (type.IsEmpty)
        {
            // Nothing said is nothing excluded, as in Envoy.
            return true;
        }

        for (var i = 0; i < ContentTypes.Count; i++)
        {
            if (Ascii.EqualsIgnoreCase(type, ContentTypes[i]))
            {
                return true;
            }
        }

        return false;
    }

    private static void AddVary(HeaderMap headers)
    {
        var vary = headers.Get(KnownHeader.Vary);
        if (vary.IsEmpty)
        {
            headers.Set(KnownHeader.Vary, "Accept-Encoding"u8);
        }
        else if (!vary.SequenceEqual("*"u8) && vary.IndexOf("Accept-Encoding"u8) < 0)
        {
            HeaderText.Append(headers, KnownHeader.Vary, "Accept-Encoding"u8, ", "u8);
        }
    }

    private sealed class GzipSink : IFinishingBodySink
    {
        private readonly IBodySink _next;
        private readonly BufferStream _output = new();
        private readonly GZipStream _gzip;
        private bool _finished;

        public GzipSink(IBodySink next, CompressionLevel level)
        {
            _next = next;
            _gzip = new GZipStream(_output, level, leaveOpen: true);
        }

        public ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream)
        {
            if (data.Length > 0)
            {
                _gzip.Write(data.Span);
            }

            if (endStream)
            {
                Finish();
            }

            return PassOnAsync(endStream);
        }

        public async ValueTask FlushAsync()
        {
            if (!_finished)
            {
                _gzip.Flush();
                await PassOnAsync(endStream: false);
            }

            await _next.FlushAsync();
        }

        public ValueTask FinishAsync()
        {
            Finish();
            return PassOnAsync(endStream: false);
        }

        private void Finish()
        {
            if (!_finished)
            {
                _finished = true;
                _gzip.Dispose();
            }
        }

        private async ValueTask PassOnAsync(bool endStream)
        {
            if (endStream || _output.Buffer.Length > 0)
            {
                await _next.WriteBodyAsync(_output.Buffer.WrittenMemory, endStream);
                _output.Buffer.Clear();
            }
        }
    }

    private sealed class BufferStream : Stream
    {
        public FormatBuffer Buffer { get; } = new();

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Buffer.Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer) => Buffer.Write(buffer);
    }
}

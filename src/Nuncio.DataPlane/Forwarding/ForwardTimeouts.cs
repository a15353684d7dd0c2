using System.Buffers.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Forwarding;

/// <summary>The timeouts of one request, of its route and its own headers (Envoy's FilterUtility::finalTimeout).</summary>
/// <param name="Global">Until the response is complete; zero for none.</param>
/// <param name="PerTry">Of one try; zero for none.</param>
internal readonly record struct ForwardTimeouts(TimeSpan Global, TimeSpan PerTry)
{
    /// <summary>Reads them, and removes the headers that were for this proxy.</summary>
    public static ForwardTimeouts Take(HttpExchange exchange, ForwardModel forward, RouterOptions options)
    {
        var headers = exchange.RequestHeaders;
        var global = forward.UsesStreamDuration ? TimeSpan.Zero : forward.Timeout;
        if (options.RespectExpectedTimeout && TryMilliseconds(headers.Get(KnownHeader.XEnvoyExpectedRqTimeoutMs), out var expected))
        {
            global = expected;
        }
        else if (headers.TryGet(KnownHeader.XEnvoyUpstreamRqTimeoutMs, out var wanted))
        {
            global = TryMilliseconds(wanted, out var given) ? given : global;
            headers.Remove(KnownHeader.XEnvoyUpstreamRqTimeoutMs);
        }

        var perTry = exchange.RetryPolicy?.PerTryTimeout ?? TimeSpan.Zero;
        if (headers.TryGet(KnownHeader.XEnvoyUpstreamRqPerTryTimeoutMs, out var wantedPerTry))
        {
            perTry = TryMilliseconds(wantedPerTry, out var given) ? given : perTry;
            headers.Remove(KnownHeader.XEnvoyUpstreamRqPerTryTimeoutMs);
        }

        // A try cannot outlast the whole.
        return new ForwardTimeouts(global, perTry >= global && global != TimeSpan.Zero ? TimeSpan.Zero : perTry);
    }

    /// <summary>
    /// How long the whole stream may take, zero for no limit: what the client's <c>grpc-timeout</c> says where the route has a cap for it, else the route's
    /// limit, else the connection manager's (Envoy: refreshDurationTimeout).
    /// </summary>
    public static TimeSpan StreamDuration(HttpExchange exchange, ForwardModel forward)
    {
        if (forward.GrpcTimeoutHeaderMax is not { } limit || !exchange.RequestHeaders.TryGet(KnownHeader.GrpcTimeout, out var text)
            || GrpcTimeout(text) is not { } wanted)
        {
            return forward.MaxStreamDuration ?? exchange.ConnectionManager.MaxStreamDuration;
        }

        if (limit > TimeSpan.Zero && wanted > limit)
        {
            wanted = limit;
        }

        if (wanted > TimeSpan.Zero && forward.GrpcTimeoutHeaderOffset < wanted)
        {
            wanted -= forward.GrpcTimeoutHeaderOffset;
        }

        // At most eight digits of milliseconds by the gRPC specification; longer ones in seconds.
        Span<byte> said = stackalloc byte[24];
        var inMilliseconds = wanted.TotalMilliseconds <= 99_999_999;
        Utf8Formatter.TryFormat(
            inMilliseconds ? (long)Math.Ceiling(wanted.TotalMilliseconds) : Math.Min((long)wanted.TotalSeconds, 99_999_999), said, out var length);
        said[length++] = inMilliseconds ? (byte)'m' : (byte)'S';
        exchange.RequestHeaders.Set(KnownHeader.GrpcTimeout, said[..length]);
        return wanted;
    }

    /// <summary>Says upstream how long we shall wait.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="forward">Its route.</param>
    /// <param name="options">May forbid the header.</param>
    /// <param name="elapsed">What has gone by at a retry.</param>
    public void WriteExpected(HttpExchange exchange, ForwardModel forward, RouterOptions options, TimeSpan elapsed)
    {
        var expected = PerTry > TimeSpan.Zero ? PerTry : Global;
        if (expected <= TimeSpan.Zero)
        {
            return;
        }

        if (Global > TimeSpan.Zero && elapsed > TimeSpan.Zero)
        {
            var left = Global - elapsed;
            expected = left <= TimeSpan.Zero ? TimeSpan.FromMilliseconds(1) : left < expected ? left : expected;
        }

        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat((long)expected.TotalMilliseconds, digits, out var length);
        if (!options.SuppressEnvoyHeaders)
        {
            exchange.RequestHeaders.Set(KnownHeader.XEnvoyExpectedRqTimeoutMs, digits[..length]);
        }
    }

    internal static bool TryMilliseconds(ReadOnlySpan<byte> text, out TimeSpan value)
    {
        if (Utf8Parser.TryParse(text, out ulong milliseconds, out var used) && used == text.Length && used > 0)
        {
            value = TimeSpan.FromMilliseconds(Math.Min(milliseconds, 1UL << 40));
            return true;
        }

        value = default;
        return false;
    }

    // RFC: gRPC over HTTP/2, "Timeout": up to eight digits and a unit. Null for anything else.
    internal static TimeSpan? GrpcTimeout(ReadOnlySpan<byte> text)
    {
        if (text.Length is < 2 or > 9 || !Utf8Parser.TryParse(text[..^1], out uint value, out var used) || used != text.Length - 1)
        {
            return null;
        }

        return text[^1] switch
        {
            (byte)'H' => TimeSpan.FromHours(Math.Min(value, 1_000_000)),
            (byte)'M' => TimeSpan.FromMinutes(value),
            (byte)'S' => TimeSpan.FromSeconds(value),
            (byte)'m' => TimeSpan.FromMilliseconds(value),
            (byte)'u' => TimeSpan.FromMilliseconds((value + 999) / 1000),
            (byte)'n' => TimeSpan.FromMilliseconds((value + 999_999) / 1_000_000),
            _ => null,
        };
    }
}

using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Routing;

/// <summary>What routes look at in a request.</summary>
public readonly ref struct RouteInput
{
    /// <summary>Of a request's headers as they are now.</summary>
    /// <param name="headers">With pseudo-headers.</param>
    /// <param name="connection">The client's; null counts as cleartext without a certificate.</param>
    /// <param name="random">The request's random value.</param>
    /// <param name="ignorePathParameters">Path parameters are no part of the path.</param>
    public RouteInput(HeaderMap headers, DownstreamConnectionInfo? connection, ulong random, bool ignorePathParameters = false)
    {
        Headers = headers;
        Connection = connection;
        Random = random;
        var target = headers.Get(KnownHeader.Path);
        var end = target.IndexOfAny((byte)'?', (byte)'#');
        Path = end < 0 ? target : target[..end];
        Query = end >= 0 && target[end] == (byte)'?' ? target[(end + 1)..] : default;
        if (ignorePathParameters && Path.IndexOf((byte)';') is >= 0 and var parameters)
        {
            Path = Path[..parameters];
        }

        IsConnect = headers.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8);
    }

    /// <summary>All headers.</summary>
    public HeaderMap Headers { get; }

    /// <summary>The connection, for conditions on its TLS.</summary>
    public DownstreamConnectionInfo? Connection { get; }

    /// <summary>For fractions.</summary>
    public ulong Random { get; }

    /// <summary>Without query and fragment.</summary>
    public ReadOnlySpan<byte> Path { get; }

    /// <summary>Without its <c>?</c>.</summary>
    public ReadOnlySpan<byte> Query { get; }

    /// <summary>The method is CONNECT.</summary>
    public bool IsConnect { get; }
}

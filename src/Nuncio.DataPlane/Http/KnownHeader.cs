using System.Text;

namespace Nuncio.DataPlane.Http;

/// <summary>The headers that the proxy itself looks at, so that finding one needs no comparison of names.</summary>
public enum KnownHeader : byte
{
    /// <summary>Any other header.</summary>
    None,
#pragma warning disable CS1591 // each is the header of that name
    Method,
    Path,
    Authority,
    Scheme,
    Status,
    Protocol,
    Host,
    Connection,
    ContentLength,
    ContentType,
    TransferEncoding,
    KeepAlive,
    ProxyConnection,
    Te,
    Trailer,
    Upgrade,
    Expect,
    Date,
    Server,
    Via,
    Location,
    UserAgent,
    Accept,
    AcceptEncoding,
    ContentEncoding,
    Cookie,
    SetCookie,
    Origin,
    Authorization,
    Vary,
    Etag,
    Referer,
    GrpcTimeout,
    GrpcStatus,
    GrpcMessage,
    AccessControlRequestMethod,
    AccessControlRequestHeaders,
    AccessControlRequestPrivateNetwork,
    XForwardedFor,
    XForwardedProto,
    XForwardedHost,
    XForwardedPort,
    XForwardedClientCert,
    XRequestId,
    XClientTraceId,
    XEnvoyExternalAddress,
    XEnvoyInternal,
    XEnvoyOriginalPath,
    XEnvoyOriginalHost,
    XEnvoyExpectedRqTimeoutMs,
    XEnvoyUpstreamServiceTime,
    XEnvoyAttemptCount,
    XEnvoyOverloaded,
    XEnvoyDecoratorOperation,
    XEnvoyDownstreamServiceCluster,
    XEnvoyDownstreamServiceNode,
    XEnvoyUpstreamRqTimeoutMs,
    XEnvoyUpstreamRqPerTryTimeoutMs,
    XEnvoyUpstreamRqTimeoutAltResponse,
    XEnvoyUpstreamAltStatName,
    XEnvoyUpstreamCanary,
    XEnvoyUpstreamHealthchecked,
    XEnvoyImmediateHealthCheckFail,
    XEnvoyRetryOn,
    XEnvoyRetryGrpcOn,
    XEnvoyMaxRetries,
    XEnvoyRetriableStatusCodes,
    XEnvoyRetriableHeaderNames,
    XEnvoyHedgeOnPerTryTimeout,
    XEnvoyIpTags,
    XEnvoyForceTrace,
    XEnvoyRateLimited,
    XEnvoyDegraded,
    XEnvoyIsTimeoutRetry,
    XRateLimitLimit,
    XOtSpanContext,
    Traceparent,
    Tracestate,
#pragma warning restore CS1591

    /// <summary>Not a header: how many there are.</summary>
    Count,
}

/// <summary>Names of known headers, lower-case as on the wire of HTTP/2, and the way back.</summary>
public static class KnownHeaders
{
    private static readonly byte[][] Names = BuildNames();
    private static readonly (byte[] Name, KnownHeader Header)[][] ByLength = BuildByLength();

    /// <summary>The lower-case name.</summary>
    public static ReadOnlySpan<byte> NameOf(KnownHeader header) => Names[(int)header];

    /// <summary>The known header of a lower-case name, or <see cref="KnownHeader.None"/>.</summary>
    public static KnownHeader Find(ReadOnlySpan<byte> lowerName)
    {
        if ((uint)lowerName.Length >= (uint)ByLength.Length)
        {
            return KnownHeader.None;
        }

        var candidates = ByLength[lowerName.Length];
        for (var i = 0; i < candidates.Length; i++)
        {
            if (lowerName.SequenceEqual(candidates[i].Name))
            {
                return candidates[i].Header;
            }
        }

        return KnownHeader.None;
    }

    private static byte[][] BuildNames()
    {
        var names = new byte[(int)KnownHeader.Count][];
        names[0] = [];
        for (var header = KnownHeader.None + 1; header < KnownHeader.Count; header++)
        {
            names[(int)header] = Encoding.ASCII.GetBytes(
                header is <= KnownHeader.Protocol ? ":" + header.ToString().ToLowerInvariant() : Dashed(header.ToString()));
        }

        return names;
    }

    // ContentType -> content-type; X of "XForwardedFor" is a word of its own.
    private static string Dashed(string pascal)
    {
        var text = new StringBuilder();
        for (var i = 0; i < pascal.Length; i++)
        {
            if (i > 0 && char.IsUpper(pascal[i]))
            {
                text.Append('-');
            }

            text.Append(char.ToLowerInvariant(pascal[i]));
        }

        return text.ToString().Replace("x-rate-limit-limit", "x-ratelimit-limit", StringComparison.Ordinal)
            .Replace("x-envoy-rate-limited", "x-envoy-ratelimited", StringComparison.Ordinal);
    }

    private static (byte[] Name, KnownHeader Header)[][] BuildByLength()
    {
        var longest = 0;
        foreach (var name in Names)
        {
            longest = Math.Max(longest, name.Length);
        }

        var lists = new (byte[] Name, KnownHeader Header)[longest + 1][];
        for (var length = 0; length <= longest; length++)
        {
            var found = new List<(byte[] Name, KnownHeader Header)>();
            for (var header = KnownHeader.None + 1; header < KnownHeader.Count; header++)
            {
                if (Names[(int)header].Length == length)
                {
                    found.Add((Names[(int)header], header));
                }
            }

            lists[length] = [.. found];
        }

        return lists;
    }
}

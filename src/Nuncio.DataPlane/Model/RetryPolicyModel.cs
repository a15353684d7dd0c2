using Nuncio.DataPlane.Matching;

namespace Nuncio.DataPlane.Model;

/// <summary>When and how often a request is tried again (RouteV3.RetryPolicy). Requests may widen it by x-envoy-retry-on and its like.</summary>
public sealed class RetryPolicyModel
{
    /// <summary>What is tried again.</summary>
    public RetryOn RetryOn { get; init; }

    /// <summary>At most so many times; unset is 1.</summary>
    public uint MaxRetries { get; init; } = 1;

    /// <summary>Of one try; null is none of its own.</summary>
    public TimeSpan? PerTryTimeout { get; init; }

    /// <summary>Of one try without activity; null for none.</summary>
    public TimeSpan? PerTryIdleTimeout { get; init; }

    /// <summary>The base of the exponential pause between tries; unset is 25 ms.</summary>
    public TimeSpan BackOffBase { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>The longest pause; unset is ten times the base.</summary>
    public TimeSpan BackOffMax { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Statuses for <see cref="RetryOn.RetriableStatusCodes"/>.</summary>
    public IReadOnlyList<int> RetriableStatusCodes { get; init; } = [];

    /// <summary>Response headers for <see cref="RetryOn.RetriableHeaders"/>.</summary>
    public IReadOnlyList<HeaderMatcher> RetriableHeaders { get; init; } = [];

    /// <summary>Only requests that match one are tried again; empty is all.</summary>
    public IReadOnlyList<HeaderMatcher> RetriableRequestHeaders { get; init; } = [];

    /// <summary>Hosts that were tried are avoided (retry_host_predicate previous_hosts).</summary>
    public bool AvoidPreviousHosts { get; init; }

    /// <summary>How often a host is chosen anew for that; unset is 1.</summary>
    public int HostSelectionAttempts { get; init; } = 1;

    /// <summary>Response headers that say when to try again, with the format of each.</summary>
    public IReadOnlyList<(byte[] Name, bool IsUnixTime)> ResetHeaders { get; init; } = [];

    /// <summary>The longest pause that such a header may ask for; unset is 300 s.</summary>
    public TimeSpan ResetHeaderMax { get; init; } = TimeSpan.FromSeconds(300);
}

/// <summary>The words of retry_on, x-envoy-retry-on and x-envoy-retry-grpc-on.</summary>
[Flags]
public enum RetryOn : uint
{
#pragma warning disable CS1591 // Envoy documents each under "x-envoy-retry-on" and "x-envoy-retry-grpc-on"
    None = 0,
    ServerError = 1 << 0,
    GatewayError = 1 << 1,
    ConnectFailure = 1 << 2,
    Retriable4xx = 1 << 3,
    RefusedStream = 1 << 4,
    GrpcCancelled = 1 << 5,
    GrpcDeadlineExceeded = 1 << 6,
    GrpcResourceExhausted = 1 << 7,
    GrpcUnavailable = 1 << 8,
    GrpcInternal = 1 << 9,
    RetriableStatusCodes = 1 << 10,
    Reset = 1 << 11,
    RetriableHeaders = 1 << 12,
    EnvoyRateLimited = 1 << 13,
    Http3PostConnectFailure = 1 << 14,
    ResetBeforeRequest = 1 << 15,
#pragma warning restore CS1591
}

/// <summary>Reads the words.</summary>
public static class RetryOnWords
{
    /// <summary>The flag of one word, or None.</summary>
    public static RetryOn Parse(ReadOnlySpan<char> word) => word switch
    {
        "5xx" => RetryOn.ServerError,
        "gateway-error" => RetryOn.GatewayError,
        "connect-failure" => RetryOn.ConnectFailure,
        "envoy-ratelimited" => RetryOn.EnvoyRateLimited,
        "retriable-4xx" => RetryOn.Retriable4xx,
        "refused-stream" => RetryOn.RefusedStream,
        "retriable-status-codes" => RetryOn.RetriableStatusCodes,
        "retriable-headers" => RetryOn.RetriableHeaders,
        "reset" => RetryOn.Reset,
        "reset-before-request" => RetryOn.ResetBeforeRequest,
        "http3-post-connect-failure" => RetryOn.Http3PostConnectFailure,
        "cancelled" => RetryOn.GrpcCancelled,
        "deadline-exceeded" => RetryOn.GrpcDeadlineExceeded,
        "internal" => RetryOn.GrpcInternal,
        "resource-exhausted" => RetryOn.GrpcResourceExhausted,
        "unavailable" => RetryOn.GrpcUnavailable,
        _ => RetryOn.None,
    };

    /// <summary>The flags of a comma-separated list; unknown words are skipped, as Envoy does, and reported by <paramref name="allKnown"/>.</summary>
    public static RetryOn ParseList(ReadOnlySpan<char> words, out bool allKnown)
    {
        var flags = RetryOn.None;
        allKnown = true;
        foreach (var range in words.Split(','))
        {
            var word = words[range].Trim();
            if (!word.IsEmpty)
            {
                var flag = Parse(word);
                allKnown &= flag != RetryOn.None;
                flags |= flag;
            }
        }

        return flags;
    }
}

using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>How the ext_authz filter asks and what it does with the answer (ext_authz.v3.ExtAuthz).</summary>
public sealed class ExtAuthzModel
{
    /// <summary>Who is asked over gRPC; null with <see cref="Http"/>.</summary>
    public GrpcServiceModel? Grpc { get; init; }

    /// <summary>Who is asked over HTTP; null with <see cref="Grpc"/>.</summary>
    public ExtAuthzHttpModel? Http { get; init; }

    /// <summary>Requests pass where the service fails.</summary>
    public bool FailureModeAllow { get; init; }

    /// <summary>Such requests get x-envoy-auth-failure-mode-allowed.</summary>
    public bool FailureModeAllowHeader { get; init; }

    /// <summary>What of the body is sent along; null for nothing.</summary>
    public ExtAuthzBodyModel? Body { get; init; }

    /// <summary>The route is chosen again where the service changed the request.</summary>
    public bool ClearRouteCache { get; init; }

    /// <summary>The answer where the service fails: 403.</summary>
    public int StatusOnError { get; init; } = 403;

    /// <summary>The part of requests that is checked at all.</summary>
    public RuntimeFraction Enabled { get; init; } = RuntimeFraction.Always;

    /// <summary>Requests that are not checked are refused.</summary>
    public bool DenyWhenDisabled { get; init; }

    /// <summary>The client's certificate is sent along.</summary>
    public bool IncludePeerCertificate { get; init; }

    /// <summary>The name of the ClientHello is sent along.</summary>
    public bool IncludeTlsSession { get; init; }

    /// <summary>Part of the names of statistics; may be empty.</summary>
    public string StatPrefix { get; init; } = "";

    /// <summary>Which request headers are sent; null for all.</summary>
    public HeaderNameMatcher? AllowedHeaders { get; init; }

    /// <summary>Which request headers are not sent all the same; null for none.</summary>
    public HeaderNameMatcher? DisallowedHeaders { get; init; }

    /// <summary>Refusals count among the responses of the cluster that the request was for.</summary>
    public bool ChargeClusterResponseStats { get; init; } = true;

    /// <summary>Headers go as bytes (header_map) instead of as text.</summary>
    public bool EncodeRawHeaders { get; init; }

    /// <summary>What the service tells becomes dynamic metadata.</summary>
    public bool TakesMetadata { get; init; } = true;

    /// <summary>The longest body of a refusal, in bytes; what is longer is cut.</summary>
    public int MaxDeniedBodyBytes { get; init; } = 1024 * 1024;
}

/// <summary>A service that is asked over HTTP.</summary>
public sealed class ExtAuthzHttpModel
{
    /// <summary>The cluster.</summary>
    public required string Cluster { get; init; }

    /// <summary>Of a call.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Goes before the request's path; may be empty.</summary>
    public required byte[] PathPrefix { get; init; }

    /// <summary>Headers that are added.</summary>
    public required HeaderMutationsModel RequestHeaders { get; init; }

    /// <summary>Which headers of the answer the upstream gets, instead of the client's own.</summary>
    public HeaderNameMatcher? UpstreamHeaders { get; init; }

    /// <summary>Which are appended to the client's own.</summary>
    public HeaderNameMatcher? UpstreamHeadersToAppend { get; init; }

    /// <summary>Which headers of a refusal the client gets; null for all.</summary>
    public HeaderNameMatcher? ClientHeaders { get; init; }

    /// <summary>Which headers the client gets with the response of the upstream.</summary>
    public HeaderNameMatcher? ClientHeadersOnSuccess { get; init; }

    /// <summary>Which headers of an allowing answer become dynamic metadata.</summary>
    public HeaderNameMatcher? MetadataHeaders { get; init; }
}

/// <summary>What of a request's body is sent to the service.</summary>
/// <param name="MaxBytes">At most so much.</param>
/// <param name="AllowPartial">A longer body's beginning is sent; else such a request is answered 413.</param>
/// <param name="PackAsBytes">As bytes instead of as text.</param>
public sealed record ExtAuthzBodyModel(int MaxBytes, bool AllowPartial, bool PackAsBytes);

/// <summary>The settings of a route (ext_authz.v3.CheckSettings).</summary>
public sealed class ExtAuthzRouteConfig
{
    /// <summary>Sent along with those of the levels above.</summary>
    public IReadOnlyDictionary<string, string> ContextExtensions { get; init; } = new Dictionary<string, string>();

    /// <summary>No body is sent.</summary>
    public bool DisableBody { get; init; }

    /// <summary>Instead of the filter's; null for that.</summary>
    public ExtAuthzBodyModel? Body { get; init; }
}

/// <summary>A set of header names.</summary>
/// <param name="patterns">Compared with lower-case names.</param>
public sealed class HeaderNameMatcher(IReadOnlyList<StringMatcher> patterns)
{
    /// <summary>Whether a name is in it.</summary>
    public bool Includes(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < patterns.Count; i++)
        {
            if (patterns[i].IsMatch(name))
            {
                return true;
            }
        }

        return false;
    }
}

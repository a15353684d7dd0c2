namespace Nuncio.Resources.Findings;

public static partial class FindingCodes
{
    /// <summary>A second Module of a name that counts only once; it is ignored.</summary>
    public const string DuplicateModule = "duplicate-module";

    /// <summary>A value that its field does not take, or that Envoy would refuse; the rest of the resource is used without it.</summary>
    public const string InvalidFieldValue = "invalid-field-value";

    /// <summary>A header's name or value that cannot stand in a request.</summary>
    public const string InvalidHeader = "invalid-header";

    /// <summary>A regular expression that is not RE2 syntax, or whose program is larger than <c>regex_max_size</c>.</summary>
    public const string InvalidRegex = "invalid-regex";

    /// <summary>A service text that names no host, or a port that is none; its traffic gets 503.</summary>
    public const string InvalidService = "invalid-service";

    /// <summary>A Mapping differs in a field on which the Mappings of one group have to agree; it is left out.</summary>
    public const string GroupMismatch = "group-mismatch";

    /// <summary>A Mapping that belongs to no Host, so that no request gets there.</summary>
    public const string MappingWithoutHost = "mapping-without-host";

    /// <summary>Two fields exclude each other; one of them is ignored.</summary>
    public const string MutuallyExclusive = "mutually-exclusive";

    /// <summary>Known and meaningful, but not built yet.</summary>
    public const string NotYetSupported = "not-yet-supported";

    /// <summary>Known, and not supported on purpose.</summary>
    public const string NotSupported = "not-supported";

    /// <summary>A resolver that does not exist; the resource is left out.</summary>
    public const string ResolverNotFound = "resolver-not-found";

    /// <summary>A Mapping behind one of a higher precedence that takes all its requests.</summary>
    public const string RouteShadowed = "route-shadowed";

    /// <summary>A shadow without a Mapping whose requests it could copy; it has no effect.</summary>
    public const string ShadowAlone = "shadow-alone";

    /// <summary>A TLSContext that does not exist or cannot be used; traffic that needs it gets 503.</summary>
    public const string TlsContextNotFound = "tls-context-not-found";

    /// <summary>The weights of a group are above 100 in sum.</summary>
    public const string WeightsAboveHundred = "weights-above-100";
}

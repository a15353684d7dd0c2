using Envoy.Config.Core.V3;

namespace Nuncio.XdsServer.Clients;

/// <summary>Which program a client is, as its node says, and so what it can be sent.</summary>
/// <param name="Name">The make, such as <c>envoy</c>; empty where it does not say.</param>
/// <param name="Version">The version; null where it does not say.</param>
/// <param name="Features">What it says that it can.</param>
internal sealed record ClientProgram(string Name, Version? Version, ImmutableHashSet<string> Features)
{
    private const string Envoy = "envoy";

    private static readonly string NodeType = XdsTypeRegistry.TypeUrlOf(Node.Descriptor);

    /// <summary>
    /// The first Envoy that takes VHDS over ADS: 1.36 refuses it ("only 'DELTA_GRPC' is supported as an api_type"), those between were not tried.
    /// </summary>
    private static readonly Version VirtualHostsOverAds = new(1, 40);

    /// <summary>What a node says.</summary>
    public static ClientProgram Of(Node node) => new(
        node.UserAgentName,
        node.UserAgentBuildVersion?.Version is { } build ? new Version((int)build.MajorNumber, (int)build.MinorNumber, (int)build.Patch)
        : Version.TryParse(node.UserAgentVersion, out var written) ? written
        : null,
        [.. node.ClientFeatures]);

    /// <summary>Virtual hosts can be sent one by one.</summary>
    public bool TakesVirtualHosts => (Name == Envoy && Version >= VirtualHostsOverAds) || Features.Contains(XdsVirtualHosts.ClientFeature);

    /// <summary>
    /// A secret that was refused has to look new when it is offered again: Envoy compares it with the one before, the refused one, and accepts an equal one
    /// without looking at it.
    /// </summary>
    public bool TakesEqualSecretsUnseen => Name == Envoy;

    /// <summary>The version of an Envoy that lacks fields of the contract; null for all others.</summary>
    public Version? Old => Name == Envoy && Version < EnvoyFields.Newest ? Version : null;

    /// <summary>What a person should know of it; null for nothing.</summary>
    public XdsRejection? Problem(string node) => Name switch
    {
        "nuncio" => null,
        Envoy when Version is null =>
            Warning(node, $"does not say which version of Envoy it is: {Supported} are supported, and what an older one does not know has no effect"),
        Envoy when Version < EnvoySupport.Oldest =>
            Warning(node, $"is Envoy {Version}: {Supported} are supported, and what it does not know has no effect or is refused"),
        Envoy => null,
        "" => Warning(node, $"does not say which program it is: {Supported}, and nuncio itself, are supported"),
        _ => Warning(node, $"is {Name}: {Supported}, and nuncio itself, are supported, and nothing is known of others"),
    };

    private static string Supported => $"Envoy {EnvoySupport.Oldest} and later";

    private static XdsRejection Warning(string node, string text) => new(NodeType, node, "", $"The data plane {node} {text}", IsPartial: true);
}

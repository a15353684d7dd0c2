
namespace Nuncio.Compiler.HttpFilters;

/// <summary>What all HTTP listeners have in common: the connection manager but for statistics, hops and routes.</summary>
/// <param name="Template">Not to be changed; each filter chain gets a copy.</param>
/// <param name="Version">The content of the template.</param>
/// <param name="IsTraced">Whether requests are traced.</param>
/// <param name="BufferLimitBytes">The limit of each connection's buffers; null is Envoy's.</param>
/// <param name="HeaderCase">
/// The spelling of response headers that the Module asks for. Stock Envoy has no such field (it can only keep the spelling that came), so it stands in the
/// listener's metadata under <see cref="HeaderCaseMetadata"/>: lower-case name to spelling.
/// </param>
internal sealed record HttpSettingsPlan(
    HcmV3.HttpConnectionManager Template,
    XdsVersion Version,
    bool IsTraced,
    uint? BufferLimitBytes,
    ValueList<string> HeaderCase)
{
    /// <summary>Nothing yet; replaced by the pass that plans the filters.</summary>
    public static HttpSettingsPlan Empty { get; } = new(new HcmV3.HttpConnectionManager(), default, false, null, ValueList<string>.Empty);

    /// <summary>The name under which the listener's metadata holds the spelling of headers.</summary>
    public const string HeaderCaseMetadata = "nuncio.header_case";
}

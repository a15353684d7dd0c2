namespace Nuncio.EndToEndTests.Features;

/// <summary>What serves a compiled configuration.</summary>
public enum DataPlane
{
    /// <summary>The proxy inside <c>nuncio run</c>.</summary>
    Embedded,

    /// <summary>A stock Envoy on what <c>nuncio compile</c> writes.</summary>
    Envoy,
}

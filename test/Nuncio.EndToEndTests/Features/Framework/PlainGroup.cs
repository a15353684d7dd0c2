namespace Nuncio.EndToEndTests.Features;

/// <summary>Tests that need nothing of the whole gateway but a Listener and a Host for every name. They share one; each has prefixes or hosts of its
/// own.</summary>
[CollectionDefinition(nameof(PlainGroup))]
[CommandLine("--resolve", "quote=$(quote-default)", "--resolve", "quote.elsewhere=$(quote-elsewhere)", "--resolve", "quote.third=$(quote-third)")]
[Manifest(Common.Everywhere)]
public class PlainGroup : ICollectionFixture<GatewayOf<PlainGroup>>;

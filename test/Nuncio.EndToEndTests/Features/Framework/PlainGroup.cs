namespace Nuncio.EndToEndTests.Features;

/// <summary>Tests that need nothing of the whole gateway but a Listener and a Host for every name. They share one; each has prefixes or hosts of its own.</summary>
[CollectionDefinition(nameof(PlainGroup))]
[Manifest(Common.Everywhere)]
public class PlainGroup : ICollectionFixture<GatewayOf<PlainGroup>>;

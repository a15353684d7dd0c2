namespace Nuncio.XdsServer.Subscriptions;

/// <summary>What a client is known to have of a name.</summary>
/// <param name="Version">The version that it accepted; null where it was told that there is no such resource.</param>
/// <param name="Resource">The content; null where only the version is known, from before this stream.</param>
internal readonly record struct HeldResource(XdsVersion? Version, IXdsResource? Resource)
{
    /// <summary>The client was told that there is none.</summary>
    public static HeldResource Absent => default;
}

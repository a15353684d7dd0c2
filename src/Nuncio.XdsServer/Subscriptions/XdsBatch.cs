namespace Nuncio.XdsServer.Subscriptions;

/// <summary>Resources of one type that are sent together and answered together.</summary>
/// <param name="Subscription">Whose.</param>
/// <param name="Items">What is new, changed or gone.</param>
internal sealed record XdsBatch(Subscription Subscription, ImmutableArray<XdsBatchItem> Items)
{
    /// <summary>What the client's answer names.</summary>
    public string Nonce { get; set; } = "";
}

/// <summary>A resource of a batch.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Resource">Its content; null where there is no such resource any more, or never was.</param>
internal readonly record struct XdsBatchItem(string Name, IXdsResource? Resource);

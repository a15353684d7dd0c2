using System.Collections.Immutable;

namespace Nuncio.Xds;

/// <summary>A data plane that takes snapshots: the embedded proxy, or the ADS server in front of Envoys.</summary>
public interface IXdsSnapshotSink
{
    /// <summary>
    /// Makes the snapshot the configuration. Each resource is taken or refused by itself: a refused one keeps its last good content and
    /// stops no other. Returns once what was taken serves.
    /// </summary>
    ValueTask<XdsAck> ApplyAsync(XdsSnapshot snapshot, CancellationToken cancellationToken);
}

/// <summary>What a data plane made of a snapshot.</summary>
/// <param name="Revision">The snapshot's.</param>
/// <param name="Rejections">What was refused; empty when all was taken.</param>
public sealed record XdsAck(long Revision, ImmutableArray<XdsRejection> Rejections);

/// <summary>A resource that a data plane refused, or took without one of its fields.</summary>
/// <param name="TypeUrl">The <c>Any</c> type URL, for instance <c>type.googleapis.com/envoy.config.listener.v3.Listener</c>.</param>
/// <param name="Name">The resource's name.</param>
/// <param name="FieldPath">Where in the message, in proto names (<c>virtual_hosts[0].routes[3].match</c>); empty when unknown.</param>
/// <param name="Message">Why, for a person.</param>
/// <param name="IsPartial">The resource serves, but the named field has no effect on this data plane.</param>
public sealed record XdsRejection(string TypeUrl, string Name, string FieldPath, string Message, bool IsPartial = false);

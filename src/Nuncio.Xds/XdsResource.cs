using Google.Protobuf;

namespace Nuncio.Xds;

/// <summary>One named resource of an <see cref="XdsSnapshot"/>. The message must not be changed once it is in here.</summary>
/// <typeparam name="T">The message: Listener, RouteConfiguration, Cluster, ClusterLoadAssignment or Secret.</typeparam>
/// <param name="Name">Unique among the resources of its type.</param>
/// <param name="Message">The Envoy v3 message.</param>
/// <param name="Version">Its content version.</param>
public sealed record XdsResource<T>(string Name, T Message, XdsVersion Version)
    where T : class, IMessage
{
    /// <summary>A resource whose version is computed from the message's bytes.</summary>
    public static XdsResource<T> Create(string name, T message) => new(name, message, XdsVersion.Of(message));
}

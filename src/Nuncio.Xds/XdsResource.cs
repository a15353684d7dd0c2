using Google.Protobuf;

namespace Nuncio.Xds;

/// <summary>A resource whatever its type, for what treats all types alike.</summary>
public interface IXdsResource
{
    /// <summary>Unique among the resources of its type.</summary>
    string Name { get; }

    /// <summary>Its content version.</summary>
    XdsVersion Version { get; }

    /// <summary>The Envoy v3 message.</summary>
    IMessage Message { get; }
}

/// <summary>One named resource of an <see cref="XdsSnapshot"/>. The message must not be changed once it is in here.</summary>
/// <typeparam name="T">The message: Listener, RouteConfiguration, Cluster, ClusterLoadAssignment or Secret.</typeparam>
/// <param name="Name">Unique among the resources of its type.</param>
/// <param name="Message">The Envoy v3 message.</param>
/// <param name="Version">Its content version.</param>
public sealed record XdsResource<T>(string Name, T Message, XdsVersion Version) : IXdsResource
    where T : class, IMessage
{
    /// <inheritdoc/>
    IMessage IXdsResource.Message => Message;

    /// <summary>A resource whose version is computed from the message's bytes.</summary>
    public static XdsResource<T> Create(string name, T message) => new(name, message, XdsVersion.Of(message));
}

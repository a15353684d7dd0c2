using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds one kind of HTTP filter, known by the type of its configuration.</summary>
public abstract class HttpFilterBinder
{
    /// <summary>The full name of its configuration message, such as <c>envoy.extensions.filters.http.cors.v3.Cors</c>.</summary>
    public abstract string ConfigType { get; }

    /// <summary>The full name of its per-route configuration message; null where it has none.</summary>
    public virtual string? RouteConfigType => null;

    /// <summary>Binds the filter; null with an error.</summary>
    /// <param name="name">The filter's name in the message: the key of per-route configuration.</param>
    /// <param name="index">Its place in the chain.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="path">Where that is.</param>
    /// <param name="errors">Where errors go.</param>
    public abstract HttpFilter? Bind(string name, int index, Any config, string path, BindErrors errors);

    /// <summary>Binds per-route configuration; null with an error.</summary>
    public virtual object? BindRoute(Any config, string path, BindErrors errors) => null;

    /// <summary>Reads a message; null with an error.</summary>
    protected static T? Unpack<T>(Any config, string path, BindErrors errors)
        where T : class, IMessage, new()
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(errors);
        try
        {
            var message = new T();
            message.MergeFrom(config.Value);
            return message;
        }
        catch (Exception e) when (AnyReading.IsUnreadable(e))
        {
            errors.Add(path, $"The message cannot be read: {e.Message}");
            return null;
        }
    }
}

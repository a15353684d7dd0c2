using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Matching;

namespace Nuncio.DataPlane.Model;

/// <summary>
/// One route: when it is taken and what is done then. Depends on its message only, so that an unchanged message keeps its model from one
/// configuration to the next; what a virtual host adds is in <see cref="VirtualHostModel"/>.
/// </summary>
public sealed class RouteModel
{
    /// <summary>%ROUTE_NAME%; may be empty.</summary>
    public required string Name { get; init; }

    /// <summary>When it is taken.</summary>
    public required RouteMatchModel Match { get; init; }

    /// <summary>What is done.</summary>
    public required RouteActionModel Action { get; init; }

    /// <summary>Changes to the headers sent to the upstream.</summary>
    public required HeaderMutationsModel RequestHeaders { get; init; }

    /// <summary>Changes to the headers sent to the client.</summary>
    public required HeaderMutationsModel ResponseHeaders { get; init; }

    /// <summary>Configuration of filters for this route.</summary>
    public required FilterConfigMap FilterConfigs { get; init; }

    /// <summary>x-envoy-decorator-operation sent upstream; null for none.</summary>
    public string? DecoratorOperation { get; init; }

    /// <summary>Bytes a request body may have where it is buffered for retries or mirrors; null is the connection's limit.</summary>
    public long? RequestBodyBufferLimit { get; init; }

    /// <summary>Statistics of this route have this prefix; empty for none.</summary>
    public string StatPrefix { get; init; } = "";

    /// <summary>The message it was bound from.</summary>
    public required RouteV3.Route Message { get; init; }
}

/// <summary>What a route does with a request.</summary>
public abstract class RouteActionModel;

/// <summary>Answers by itself (RouteV3.DirectResponseAction).</summary>
public sealed class DirectResponseModel : RouteActionModel
{
    /// <summary>The status, 200 to 599.</summary>
    public required int Status { get; init; }

    /// <summary>The body; may be empty.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Makes the body of the request; null takes <see cref="Body"/>.</summary>
    public SubstitutionFormat? BodyFormat { get; init; }
}

/// <summary>The route may be used by filters but not by the router (RouteV3.NonForwardingAction): the router answers 404.</summary>
public sealed class NonForwardingModel : RouteActionModel;

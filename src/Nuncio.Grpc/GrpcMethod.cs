namespace Nuncio.Grpc;

/// <summary>A method of a service: where it is and what goes in and out. Whether it streams is said where it is called or served.</summary>
/// <typeparam name="TRequest">What the caller sends.</typeparam>
/// <typeparam name="TResponse">What it gets.</typeparam>
public sealed class GrpcMethod<TRequest, TResponse>
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    /// <summary>A method.</summary>
    /// <param name="service">The full name of the service, such as <c>envoy.service.auth.v3.Authorization</c>.</param>
    /// <param name="name">The method's name, such as <c>Check</c>.</param>
    public GrpcMethod(string service, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(service);
        ArgumentException.ThrowIfNullOrEmpty(name);
        Path = $"/{service}/{name}";
    }

    /// <summary>The <c>:path</c> of calls.</summary>
    public string Path { get; }

    /// <summary>Reads requests.</summary>
    public MessageParser<TRequest> RequestParser { get; } = new(() => new TRequest());

    /// <summary>Reads answers.</summary>
    public MessageParser<TResponse> ResponseParser { get; } = new(() => new TResponse());
}

using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Nuncio.Grpc;
using Nuncio.Grpc.Server;

namespace Nuncio.XdsServer.Streams;

/// <summary>
/// One stream: takes the client's requests and sends what its session says, one response at a time. While a slow client takes one, newer snapshots replace what
/// was not sent yet, so that memory is bounded by what the client is sent at once.
/// </summary>
internal abstract partial class AdsStream<TRequest, TResponse>(long number, AdsServerParts parts)
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    private long _lastNonce;
    private long _bytesSent;
    private readonly Dictionary<(string TypeUrl, string Name), ImmutableArray<XdsRejection>> _leftOut = [];
    private Node _node = new();
    private bool _isIntroduced;
    private ClientProgram _program = ClientProgram.Of(new Node());

    /// <summary>What was subscribed to and sent.</summary>
    protected AdsSession Session { get; } = new(parts.Options, parts.ListenerRoutes, parts.Time);

    /// <summary>What all streams share.</summary>
    protected AdsServerParts Parts => parts;

    /// <summary>Serves until the client ends or the server stops.</summary>
    public async Task RunAsync(GrpcRequestStream<TRequest> requests, GrpcResponseStream<TResponse> responses, GrpcServerContext context)
    {
        var stopping = new TaskCompletionSource();
        await using var onStopping = context.Stopping.Register(static source => ((TaskCompletionSource)source!).TrySetResult(), stopping);
        LogConnected(parts.Logger, number);
        try
        {
            var reading = requests.ReadAsync().AsTask();
            while (true)
            {
                var current = parts.Hub.Current;
                if (current.Snapshot is { } snapshot) await SendAsync(snapshot, responses);
                Report();
                await WaitAsync(reading, current.Replaced, stopping.Task, context.Cancellation);
                if (stopping.Task.IsCompleted) throw new GrpcStatusException(GrpcStatusCode.Unavailable, "The control plane stops.");
                while (reading.IsCompleted)
                {
                    if (await reading is not { } request) return;
                    TakeOrEnd(request);
                    reading = requests.ReadAsync().AsTask();
                }
            }
        }
        finally
        {
            parts.Acks.Remove(number);
            LogGone(parts.Logger, number, _node.Id);
        }
    }

    /// <summary>Makes of a request what it means.</summary>
    protected abstract void Take(TRequest request);

    /// <summary>A batch as a message; null where there is nothing to say of it.</summary>
    protected abstract TResponse? Render(XdsBatch batch, XdsSnapshot snapshot);

    /// <summary>Virtual hosts can be sent one by one, on this kind of stream to this program.</summary>
    protected abstract bool TakesVirtualHosts(ClientProgram program);

    /// <summary>A resource as responses carry it, without what the client is too old for.</summary>
    protected Google.Protobuf.WellKnownTypes.Any Encode(XdsResourceType type, IXdsResource resource)
    {
        if (_program.Old is not { } old) return EncodeWhole(type, resource);
        var reduced = FieldReduction.Of(resource);
        if (reduced.LeftOut.IsEmpty)
        {
            _leftOut.Remove((type.TypeUrl, resource.Name));
            return EncodeWhole(type, resource);
        }

        _leftOut[(type.TypeUrl, resource.Name)] =
            [.. reduced.LeftOut.Select(path => new XdsRejection(
                type.TypeUrl, resource.Name, path, $"Envoy {old} does not know this field; Envoy {EnvoyFields.Newest} does", IsPartial: true))];
        return EncodedResources.Encode(type, reduced);
    }

    private Google.Protobuf.WellKnownTypes.Any EncodeWhole(XdsResourceType type, IXdsResource resource) =>
        type == XdsResourceType.Secret && _program.TakesEqualSecretsUnseen
            ? parts.Encoded.EncodeAnew((Secret)resource.Message)
            : parts.Encoded.Encode(type, resource);

    /// <summary>The client is told that there is no such resource.</summary>
    protected void Drop(XdsResourceType type, string name) => _leftOut.Remove((type.TypeUrl, name));

    /// <summary>Who asks, from the first request.</summary>
    protected void Introduce(Node? node)
    {
        if (node is null || _isIntroduced) return;
        _isIntroduced = true;
        _node = node;
        _program = ClientProgram.Of(node);

        // Who comes to say it only after it has asked for routes has them whole.
        Session.TakesVirtualHosts = TakesVirtualHosts(_program) && Session.Of(XdsResourceType.Routes) is null;
        LogIntroduced(parts.Logger, number, node.Id, XdsClientState.VersionOf(node));
    }

    /// <summary>The client's answer to what is under way.</summary>
    /// <param name="subscription">Of the type that the answer names.</param>
    /// <param name="error">Why it refuses; null when it accepts.</param>
    protected void Answer(Subscription subscription, Google.Rpc.Status? error)
    {
        if (error is null)
        {
            Session.Accept(subscription);
            return;
        }

        if (subscription.UnderWay is not { } refused) return;
        parts.Acks.CountRefusal();
        if (subscription.Refuse(error.Message, parts.Time.GetUtcNow()))
            LogRefused(parts.Logger, _node.Id, subscription.Type.TypeUrl, refused.Items[0].Name, error.Message);
        else LogDivided(parts.Logger, _node.Id, subscription.Type.TypeUrl, refused.Items.Length);
    }

    private void TakeOrEnd(TRequest request)
    {
        try
        {
            Take(request);
        }
        catch (GrpcStatusException e) when (e.Status.Code == GrpcStatusCode.ResourceExhausted)
        {
            LogTooMany(parts.Logger, number, _node.Id, e.Status.Message);
            throw;
        }
    }

    private async Task SendAsync(XdsSnapshot snapshot, GrpcResponseStream<TResponse> responses)
    {
        while (Session.Next(snapshot) is { } batch)
        {
            batch.Nonce = (++_lastNonce).ToString(System.Globalization.CultureInfo.InvariantCulture);
            if (Render(batch, snapshot) is not { } response)
            {
                Session.Accept(batch.Subscription);
                continue;
            }

            _bytesSent += response.CalculateSize();
            await responses.WriteAsync(response);
        }
    }

    private async Task WaitAsync(Task reading, Task replaced, Task stopping, CancellationToken cancellation)
    {
        if (Session.WakeAt is not { } wakeAt)
        {
            await Task.WhenAny(reading, replaced, stopping);
            return;
        }

        var wait = wakeAt - parts.Time.GetUtcNow();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Task.WhenAny(reading, replaced, stopping, Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, parts.Time, ended.Token));
        await ended.CancelAsync();
    }

    private void Report() => parts.Acks.Update(new XdsClientState(
        number, _node.Id, XdsClientState.VersionOf(_node), Session.Revision, Session.Subscriptions.Sum(subscription => subscription.Sent), _bytesSent,
        [
            .. Session.Subscriptions.SelectMany(
                subscription => subscription.Refused.SelectMany(refused => refused.Value.Rejections(RejectedTypeOf(subscription.Type), refused.Key))),
            .. _leftOut.Values.SelectMany(static left => left),
            .. _isIntroduced && _program.Problem(_node.Id) is { } problem ? [problem] : ImmutableArray<XdsRejection>.Empty,
        ]));

    // The resource is the route configuration, however its virtual hosts travel.
    private static string RejectedTypeOf(XdsResourceType type) => (type == XdsResourceType.VirtualHosts ? XdsResourceType.Routes : type).TypeUrl;

    [LoggerMessage(1, LogLevel.Debug, "ADS stream {Number} begins")]
    private static partial void LogConnected(ILogger logger, long number);

    [LoggerMessage(2, LogLevel.Information, "ADS stream {Number} is {Node} ({Version})")]
    private static partial void LogIntroduced(ILogger logger, long number, string node, string version);

    [LoggerMessage(3, LogLevel.Information, "ADS stream {Number} of {Node} has ended")]
    private static partial void LogGone(ILogger logger, long number, string node);

    [LoggerMessage(4, LogLevel.Debug, "{Node} refuses {TypeUrl} {Name}: {Reason}")]
    private static partial void LogRefused(ILogger logger, string node, string typeUrl, string name, string reason);

    [LoggerMessage(6, LogLevel.Warning, "ADS stream {Number} of {Node} is ended: {Reason}")]
    private static partial void LogTooMany(ILogger logger, long number, string node, string reason);

    [LoggerMessage(5, LogLevel.Debug, "{Node} refuses {Count} of {TypeUrl} together; they are sent again in parts")]
    private static partial void LogDivided(ILogger logger, string node, string typeUrl, int count);
}

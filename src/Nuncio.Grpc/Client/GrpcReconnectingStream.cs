namespace Nuncio.Grpc.Client;

/// <summary>Keeps a stream of messages open: opens it again, with growing waits, whenever it ends.</summary>
public sealed class GrpcReconnectingStream<TRequest, TResponse>(
    GrpcClient client, GrpcMethod<TRequest, TResponse> method, GrpcBackOff backOff, TimeProvider time)
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    /// <summary>What holds for each stream; a timeout ends it as a failure does.</summary>
    public GrpcCallOptions Options { get; init; } = GrpcCallOptions.Default;

    /// <summary>Told why a stream ended and how long the next attempt waits.</summary>
    public Action<GrpcStatus, TimeSpan>? Lost { get; init; }

    /// <summary>
    /// Runs until it is cancelled. Each open stream is handed to <paramref name="session"/>, which reads until the end; it calls
    /// the second argument once it knows that the server is well, mostly at the first message, so that the waits begin anew.
    /// </summary>
    public async Task RunAsync(Func<GrpcDuplexCall<TRequest, TResponse>, Action, CancellationToken, Task> session, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(session);
        while (!cancellation.IsCancellationRequested)
        {
            var status = GrpcStatus.Ok;
            try
            {
                var call = await client.DuplexAsync(method, Options, cancellation).ConfigureAwait(false);
                await using (call.ConfigureAwait(false))
                {
                    await session(call, backOff.Reset, cancellation).ConfigureAwait(false);
                }
            }
            catch (GrpcStatusException e)
            {
                status = e.Status;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }

            var wait = backOff.Next();
            Lost?.Invoke(status, wait);
            try
            {
                await Task.Delay(wait, time, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}

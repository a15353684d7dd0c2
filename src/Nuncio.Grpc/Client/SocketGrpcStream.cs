using System.Net.Http.Headers;

namespace Nuncio.Grpc.Client;

/// <summary>A stream of <see cref="SocketGrpcTransport"/>.</summary>
internal sealed class SocketGrpcStream(HttpRequestMessage request, SocketRequestContent content) : GrpcTransportStream
{
    private readonly CancellationTokenSource _abandoned = new();
    private Task<HttpResponseMessage>? _response;
    private Stream? _body;
    private bool _ended;
    private GrpcMetadata? _trailers;

    /// <inheritdoc/>
    public override GrpcMetadata Trailers => _trailers ?? GrpcMetadata.Empty;

    /// <summary>Sends the head.</summary>
    public async ValueTask StartAsync(HttpMessageInvoker invoker, CancellationToken cancellation)
    {
        _response = SendAsync(invoker);
        try
        {
            await content.Ready.WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception) when (!cancellation.IsCancellationRequested)
        {
            // The server has ended the call before its body began: its answer tells why, where it gave one.
            await _response.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> data, bool endOfStream, CancellationToken cancellation)
    {
        var stream = await content.Ready.WaitAsync(cancellation).ConfigureAwait(false);
        if (!data.IsEmpty)
        {
            await stream.WriteAsync(data, cancellation).ConfigureAwait(false);
            if (!endOfStream) await stream.FlushAsync(cancellation).ConfigureAwait(false);
        }

        if (endOfStream) content.Complete();
    }

    /// <inheritdoc/>
    public override async ValueTask<GrpcResponseHead> ReadHeadAsync(CancellationToken cancellation)
    {
        var response = await _response!.WaitAsync(cancellation).ConfigureAwait(false);
        _body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var headers = Copy(response.Headers);
        foreach (var (name, values) in response.Content.Headers.NonValidated)
        {
            foreach (var value in values) headers.Add(name, value);
        }

        return new GrpcResponseHead((int)response.StatusCode, headers);
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        if (_ended) return 0;
        var read = await _body!.ReadAsync(buffer, cancellation).ConfigureAwait(false);
        if (read == 0)
        {
            _ended = true;
            _trailers = Copy((await _response!.ConfigureAwait(false)).TrailingHeaders);
        }

        return read;
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (!_ended) await _abandoned.CancelAsync().ConfigureAwait(false);
        content.Fail(new OperationCanceledException("The call is over."));
        if (_response is { IsCompletedSuccessfully: true }) (await _response.ConfigureAwait(false)).Dispose();
        request.Dispose();
    }

    private static GrpcMetadata Copy(HttpResponseHeaders from)
    {
        var headers = new GrpcMetadata();
        foreach (var (name, values) in from.NonValidated)
        {
            foreach (var value in values) headers.Add(name, value);
        }

        return headers;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMessageInvoker invoker)
    {
        try
        {
            return await invoker.SendAsync(request, _abandoned.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            var cause = e is OperationCanceledException ? e : new GrpcStatusException(GrpcStatusCode.Unavailable, (e.InnerException ?? e).Message, e);
            content.Fail(cause);
            throw cause;
        }
    }
}

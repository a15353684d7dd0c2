using System.Globalization;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Nuncio.Grpc.Framing;

namespace Nuncio.Grpc.Server;

/// <summary>One call at a server: from the request's head to the status in the trailers.</summary>
internal sealed partial class GrpcServerCall(HttpContext http, int maxReceiveMessageLength, TimeProvider time, CancellationToken stopping, ILogger logger)
{
    private GrpcServerContext? _context;

    /// <summary>The largest message that is received.</summary>
    public int MaxReceiveMessageLength => maxReceiveMessageLength;

    /// <summary>The request's body.</summary>
    public PipeReader Input => http.Request.BodyReader;

    /// <summary>The answer's body.</summary>
    public PipeWriter Output => http.Response.BodyWriter;

    /// <summary>Makes the answer's head final: called before each message.</summary>
    public void Start()
    {
        if (_context is not { } context || http.Response.HasStarted) return;
        for (var i = 0; i < context.ResponseHeaders.Count; i++)
        {
            http.Response.Headers.Append(context.ResponseHeaders[i].Key, context.ResponseHeaders[i].Value);
        }

        _context = null;
    }

    /// <summary>Serves the call.</summary>
    /// <param name="method">The method; null where there is none of that path.</param>
    public async Task RunAsync(GrpcServerMethod? method)
    {
        var request = http.Request;
        if (!HttpMethods.IsPost(request.Method) || !IsGrpc(request.ContentType))
        {
            http.Response.StatusCode = HttpMethods.IsPost(request.Method) ? StatusCodes.Status415UnsupportedMediaType : StatusCodes.Status405MethodNotAllowed;
            return;
        }

        http.Response.ContentType = "application/grpc";
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        if (method is null)
        {
            End(new GrpcStatus(GrpcStatusCode.Unimplemented, "There is no such method."), GrpcMetadata.Empty);
            return;
        }

        if (request.Headers["grpc-encoding"] is [{ } encoding] && encoding != "identity")
        {
            http.Response.Headers["grpc-accept-encoding"] = "identity";
            End(new GrpcStatus(GrpcStatusCode.Unimplemented, "Messages must not be compressed."), GrpcMetadata.Empty);
            return;
        }

        using var deadline = GrpcTimeout.TryParse(request.Headers["grpc-timeout"].ToString(), out var timeout) && timeout < TimeSpan.FromDays(40)
            ? new CancellationTokenSource(timeout, time) : null;
        using var linked = deadline is null ? null : CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, http.RequestAborted);
        var context = new GrpcServerContext(
            request.Path.Value ?? string.Empty, HeadersOf(request), Peer(), http.Connection.ClientCertificate, linked?.Token ?? http.RequestAborted, stopping);
        _context = context;
        var status = GrpcStatus.Ok;
        var trailers = context.ResponseTrailers;
        try
        {
            await method(this, context).ConfigureAwait(false);
        }
        catch (GrpcStatusException e)
        {
            status = e.Status;
            trailers = e.Trailers.Count > 0 ? e.Trailers : trailers;
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (Exception) when (deadline is { IsCancellationRequested: true })
        {
            status = new GrpcStatus(GrpcStatusCode.DeadlineExceeded, "The call took longer than allowed.");
        }
        catch (OperationCanceledException)
        {
            status = stopping.IsCancellationRequested
                ? new GrpcStatus(GrpcStatusCode.Unavailable, "The server stops.") : new GrpcStatus(GrpcStatusCode.Cancelled, "The call was given up.");
        }
        catch (Exception e)
        {
            // What went wrong inside is none of the caller's business.
            LogFailed(logger, e, context.Path);
            status = new GrpcStatus(GrpcStatusCode.Unknown, "The call failed.");
        }

        Start();
        End(status, trailers);
    }

    private static bool IsGrpc(string? contentType) =>
        contentType is not null && contentType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == "application/grpc".Length || contentType["application/grpc".Length] is '+' or ';');

    private static GrpcMetadata HeadersOf(HttpRequest request)
    {
        var headers = new GrpcMetadata();
        foreach (var (name, values) in request.Headers)
        {
            foreach (var value in values)
            {
                if (value is not null) headers.Add(name, value);
            }
        }

        return headers;
    }

    private System.Net.IPEndPoint? Peer() => http.Connection.RemoteIpAddress is { } address ? new(address, http.Connection.RemotePort) : null;

    // Before anything was written the status goes into the head, which then is all of the answer.
    private void End(GrpcStatus status, GrpcMetadata extra)
    {
        var target = http.Response.HasStarted ? http.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers : http.Response.Headers;
        target["grpc-status"] = ((int)status.Code).ToString(CultureInfo.InvariantCulture);
        if (status.Message.Length > 0) target["grpc-message"] = GrpcStatusText.Encode(status.Message);
        for (var i = 0; i < extra.Count; i++)
        {
            target.Append(extra[i].Key, extra[i].Value);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "A call of {Path} failed.")]
    private static partial void LogFailed(ILogger logger, Exception exception, string path);
}

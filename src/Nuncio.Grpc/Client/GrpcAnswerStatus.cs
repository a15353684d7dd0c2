using System.Globalization;
using Nuncio.Grpc.Framing;

namespace Nuncio.Grpc.Client;

/// <summary>What an answer says about how its call ended.</summary>
public static class GrpcAnswerStatus
{
    /// <summary>The status that headers or trailers hold; null where they hold none.</summary>
    public static GrpcStatus? In(GrpcMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        if (metadata.Get("grpc-status") is not { } text) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            ? new GrpcStatus((GrpcStatusCode)code, GrpcStatusText.Decode(metadata.Get("grpc-message")))
            : new GrpcStatus(GrpcStatusCode.Unknown, "The answer's grpc-status is no number.");
    }

    /// <summary>What is wrong with an answer's head; null where messages may follow.</summary>
    public static GrpcStatus? ErrorIn(GrpcResponseHead head)
    {
        ArgumentNullException.ThrowIfNull(head);
        if (head.HttpStatus != 200)
        {
            return In(head.Headers) is { IsOk: false } status
                ? status : new GrpcStatus(GrpcStatus.FromHttp(head.HttpStatus), $"The answer has the HTTP status {head.HttpStatus}.");
        }

        // A head that holds a status is all of the answer.
        if (In(head.Headers) is { } only) return only.IsOk ? null : only;
        return IsGrpc(head.Headers.Get("content-type")) ? null : new GrpcStatus(GrpcStatusCode.Unknown, "The answer is not of the type application/grpc.");
    }

    private static bool IsGrpc(string? contentType) =>
        contentType is not null && contentType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == "application/grpc".Length || contentType["application/grpc".Length] is '+' or ';');
}

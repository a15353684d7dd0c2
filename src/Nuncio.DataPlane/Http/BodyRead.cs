namespace Nuncio.DataPlane.Http;

/// <summary>One piece of a message body.</summary>
/// <param name="Data">Valid until the next read of the same stream; reading on says that it is consumed, and opens flow-control windows by its length.</param>
/// <param name="EndStream">Nothing follows but the trailers, which are then in the stream's trailer map.</param>
/// <param name="Error">Other than <see cref="StreamResetReason.None"/>: the body ends here, incomplete.</param>
public readonly record struct BodyRead(ReadOnlyMemory<byte> Data, bool EndStream, StreamResetReason Error = StreamResetReason.None)
{
    /// <summary>The end, with nothing more.</summary>
    public static BodyRead End => new(default, true);

    /// <summary>An incomplete end.</summary>
    public static BodyRead Failed(StreamResetReason reason) => new(default, true, reason);
}

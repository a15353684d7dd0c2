namespace Nuncio.DataPlane.Pipeline;

/// <summary>
/// A filter's hold on a response: its headers do not go out before the filter has made up its mind, at the latest when it has seen the whole body.
/// </summary>
internal interface IHeldResponse
{
    /// <summary>The body that the filter made where there was none; empty for none.</summary>
    ReadOnlyMemory<byte> Replacement { get; }

    /// <summary>The headers are there.</summary>
    /// <param name="endStream">No body follows.</param>
    /// <returns>True when they may go; false to see the body first. With <paramref name="endStream"/> always true.</returns>
    ValueTask<bool> OnHeadersAsync(bool endStream);

    /// <summary>Takes a piece of the body; false where that would be too much.</summary>
    bool TryKeep(ReadOnlySpan<byte> data);

    /// <summary>The body is whole.</summary>
    /// <returns>The body that goes out.</returns>
    ValueTask<ReadOnlyMemory<byte>> OnBodyAsync();

    /// <summary>The body is too large to be kept, or the response broke off: what was kept goes out as it came.</summary>
    ReadOnlyMemory<byte> GiveUp();
}

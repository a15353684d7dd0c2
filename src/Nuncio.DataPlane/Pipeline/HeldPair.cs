namespace Nuncio.DataPlane.Pipeline;

/// <summary>Two holds on one response: the second gets the body that the first let go.</summary>
internal sealed class HeldPair(IHeldResponse first, IHeldResponse second) : IHeldResponse
{
    private bool _firstIsDone;
    private bool _secondIsDone;

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Replacement { get; private set; }

    /// <inheritdoc/>
    public async ValueTask<bool> OnHeadersAsync(bool endStream)
    {
        _firstIsDone = await first.OnHeadersAsync(endStream);
        var made = endStream ? first.Replacement : default;
        _secondIsDone = await second.OnHeadersAsync(endStream && made.IsEmpty);
        if (!endStream)
        {
            return _firstIsDone && _secondIsDone;
        }

        Replacement = made.IsEmpty ? second.Replacement : _secondIsDone ? made : await PassAsync(made);
        return true;
    }

    /// <inheritdoc/>
    public bool TryKeep(ReadOnlySpan<byte> data) => _firstIsDone ? second.TryKeep(data) : first.TryKeep(data);

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>> OnBodyAsync()
    {
        if (_firstIsDone)
        {
            return await second.OnBodyAsync();
        }

        var body = await first.OnBodyAsync();
        return _secondIsDone ? body : await PassAsync(body);
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> GiveUp()
    {
        if (_firstIsDone)
        {
            return second.GiveUp();
        }

        var kept = first.GiveUp();
        if (!_secondIsDone)
        {
            second.GiveUp();
        }

        return kept;
    }

    // What is too much for the second goes out as it is.
    private async ValueTask<ReadOnlyMemory<byte>> PassAsync(ReadOnlyMemory<byte> body)
    {
        if (second.TryKeep(body.Span))
        {
            return await second.OnBodyAsync();
        }

        second.GiveUp();
        return body;
    }
}

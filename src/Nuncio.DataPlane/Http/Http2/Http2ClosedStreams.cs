namespace Nuncio.DataPlane.Http.Http2;

/// <summary>
/// The last streams that were closed, and how: frames that were under way when we reset a stream are to be ignored, later ones on a stream that
/// the peer ended are an error (RFC 9113 section 5.1).
/// </summary>
internal sealed class Http2ClosedStreams
{
    private const int Capacity = 128;

    private long[] _entries = [];

    /// <summary>Notes a closed stream.</summary>
    public void Add(int streamId, bool resetByUs)
    {
        if (_entries.Length == 0)
        {
            _entries = new long[Capacity];
        }

        _entries[(streamId >> 1) % Capacity] = ((long)streamId << 1) | (resetByUs ? 1L : 0L);
    }

    /// <summary>Whether the stream was open once, as far as is known.</summary>
    public bool Contains(int streamId) => _entries.Length > 0 && _entries[(streamId >> 1) % Capacity] >> 1 == streamId;

    /// <summary>Whether we reset it, or that is too long ago to know.</summary>
    public bool MayHaveBeenResetByUs(int streamId)
    {
        var entry = _entries.Length > 0 ? _entries[(streamId >> 1) % Capacity] : 0;
        return entry == (((long)streamId << 1) | 1L) || entry >> 1 > streamId;
    }
}

using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Tracing;

/// <summary>B3: one header each (<c>x-b3-traceid</c> and others), or all in <c>b3</c> (https://github.com/openzipkin/b3-propagation).</summary>
internal sealed class B3Propagation : TracePropagation
{
    /// <inheritdoc/>
    public override TraceParent Extract(HeaderMap headers)
    {
        if (headers.TryGet("b3"u8, out var single))
        {
            return Single(single);
        }

        bool? sampled = headers.TryGet("x-b3-sampled"u8, out var text) ? IsTrue(text) : null;
        if (headers.TryGet("x-b3-flags"u8, out var flags) && flags.SequenceEqual("1"u8))
        {
            sampled = true;
        }

        if (!headers.TryGet("x-b3-traceid"u8, out var trace) || !headers.TryGet("x-b3-spanid"u8, out var span)
            || !TraceIds.TryParse(trace, out var high, out var low) || !TraceIds.TryParse(span, out _, out var id))
        {
            return new TraceParent(0, 0, 0, 0, sampled);
        }

        ulong parent = 0;
        if (headers.TryGet("x-b3-parentspanid"u8, out var above))
        {
            _ = TraceIds.TryParse(above, out _, out parent);
        }

        return new TraceParent(high, low, id, parent, sampled);
    }

    /// <inheritdoc/>
    public override void Inject(TraceSpan span, HeaderMap headers)
    {
        headers.Set("x-b3-traceid"u8, TraceIds.Bytes(TraceIds.Text(span.TraceIdHigh, span.TraceId)));
        headers.Set("x-b3-spanid"u8, TraceIds.Bytes(TraceIds.Text(span.Id)));
        if (span.ParentId != 0)
        {
            headers.Set("x-b3-parentspanid"u8, TraceIds.Bytes(TraceIds.Text(span.ParentId)));
        }

        headers.Set("x-b3-sampled"u8, span.IsSampled ? "1"u8 : "0"u8);
    }

    // traceid-spanid[-sampled[-parentspanid]], or the decision alone.
    private static TraceParent Single(ReadOnlySpan<byte> value)
    {
        Span<Range> ranges = stackalloc Range[5];
        var count = 0;
        foreach (var range in value.Split((byte)'-'))
        {
            if (count == 5)
            {
                return default;
            }

            ranges[count++] = range;
        }

        if (count == 1)
        {
            return new TraceParent(0, 0, 0, 0, IsTrue(value) || value.SequenceEqual("d"u8));
        }

        if (!TraceIds.TryParse(value[ranges[0]], out var high, out var low) || !TraceIds.TryParse(value[ranges[1]], out _, out var id))
        {
            return default;
        }

        bool? sampled = count > 2 ? IsTrue(value[ranges[2]]) || value[ranges[2]].SequenceEqual("d"u8) : null;
        ulong parent = 0;
        if (count > 3)
        {
            _ = TraceIds.TryParse(value[ranges[3]], out _, out parent);
        }

        return new TraceParent(high, low, id, parent, sampled);
    }

    private static bool IsTrue(ReadOnlySpan<byte> text) => text.SequenceEqual("1"u8) || text.SequenceEqual("true"u8);
}

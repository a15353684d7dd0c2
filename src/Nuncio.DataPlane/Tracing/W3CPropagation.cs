using System.Globalization;
using System.Text;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Tracing;

/// <summary>W3C Trace Context: <c>traceparent</c> and <c>tracestate</c> (https://www.w3.org/TR/trace-context/).</summary>
internal sealed class W3CPropagation : TracePropagation
{
    private const int Length = 55;
    private const int MaxStateLength = 512;

    /// <inheritdoc/>
    public override TraceParent Extract(HeaderMap headers)
    {
        var text = headers.Get(KnownHeader.Traceparent);
        if (text.Length < Length || text[2] != (byte)'-' || text[35] != (byte)'-' || text[52] != (byte)'-' || text[..2].SequenceEqual("ff"u8)
            || (text.Length > Length && text[..2].SequenceEqual("00"u8))
            || !TraceIds.TryParse(text[3..35], out var high, out var low) || !TraceIds.TryParse(text[36..52], out _, out var id) || id == 0
            || !byte.TryParse(text[53..55], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var flags))
        {
            return default;
        }

        var state = headers.Get(KnownHeader.Tracestate);
        return new TraceParent(high, low, id, 0, (flags & 1) != 0, state.Length <= MaxStateLength ? Encoding.ASCII.GetString(state) : "");
    }

    /// <inheritdoc/>
    public override void Inject(TraceSpan span, HeaderMap headers)
    {
        headers.Set(KnownHeader.Traceparent, TraceIds.Bytes(Parent(span)));
        if (span.State.Length > 0)
        {
            headers.Set(KnownHeader.Tracestate, TraceIds.Bytes(span.State));
        }
    }

    /// <summary>A span as <c>traceparent</c>.</summary>
    public static string Parent(TraceSpan span) =>
        $"00-{TraceIds.Text(span.TraceIdHigh)}{TraceIds.Text(span.TraceId)}-{TraceIds.Text(span.Id)}-{(span.IsSampled ? "01" : "00")}";
}

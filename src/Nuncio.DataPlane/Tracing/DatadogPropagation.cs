using System.Globalization;
using System.Text;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Tracing;

/// <summary>Datadog's headers with decimal ids, and W3C Trace Context beside them, as Datadog's library does by default.</summary>
internal sealed class DatadogPropagation : TracePropagation
{
    private const int MaxTagsLength = 512;

    private static readonly W3CPropagation W3C = new();

    /// <inheritdoc/>
    public override TraceParent Extract(HeaderMap headers)
    {
        if (!headers.TryGet("x-datadog-trace-id"u8, out var trace) || !ulong.TryParse(trace, NumberStyles.None, CultureInfo.InvariantCulture, out var low)
            || low == 0)
        {
            return W3C.Extract(headers) is { Exists: true } other ? other with { State = "", Priority = other.Sampled == true ? 1 : 0 } : default;
        }

        _ = headers.TryGet("x-datadog-parent-id"u8, out var parent);
        _ = ulong.TryParse(parent, NumberStyles.None, CultureInfo.InvariantCulture, out var id);
        int? priority = headers.TryGet("x-datadog-sampling-priority"u8, out var text)
            && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number : null;
        _ = headers.TryGet("x-datadog-tags"u8, out var tags);
        var state = tags.Length <= MaxTagsLength ? Encoding.ASCII.GetString(tags) : "";
        return new TraceParent(High(state), low, id, 0, priority > 0 ? true : priority is null ? null : false, state, priority ?? 1);
    }

    /// <inheritdoc/>
    public override void Inject(TraceSpan span, HeaderMap headers)
    {
        Set(headers, "x-datadog-trace-id"u8, span.TraceId.ToString(CultureInfo.InvariantCulture));
        Set(headers, "x-datadog-parent-id"u8, span.Id.ToString(CultureInfo.InvariantCulture));
        Set(headers, "x-datadog-sampling-priority"u8, span.Priority.ToString(CultureInfo.InvariantCulture));
        var tags = span.State.Length > 0 ? span.State : $"_dd.p.dm=-0{(span.TraceIdHigh == 0 ? "" : ",_dd.p.tid=" + TraceIds.Text(span.TraceIdHigh))}";
        Set(headers, "x-datadog-tags"u8, tags);
        headers.Set(KnownHeader.Traceparent, TraceIds.Bytes(W3CPropagation.Parent(span)));
        headers.Set(KnownHeader.Tracestate, TraceIds.Bytes($"dd=s:{span.Priority};p:{TraceIds.Text(span.Id)};t.dm:-0"));
    }

    // The upper half of a trace's id travels in a tag.
    private static ulong High(string tags)
    {
        const string key = "_dd.p.tid=";
        var at = tags.IndexOf(key, StringComparison.Ordinal);
        return at >= 0 && tags.Length >= at + key.Length + 16
            && ulong.TryParse(tags.AsSpan(at + key.Length, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high) ? high : 0;
    }

    private static void Set(HeaderMap headers, ReadOnlySpan<byte> name, string value) => headers.Set(name, TraceIds.Bytes(value));
}

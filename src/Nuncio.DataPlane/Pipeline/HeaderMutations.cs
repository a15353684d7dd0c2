using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using AppendAction = Envoy.Config.Core.V3.HeaderValueOption.Types.HeaderAppendAction;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>Applies header changes.</summary>
internal static class HeaderMutations
{
    /// <summary>Applies those of one level: removes, then sets, then adds. All values are made of the headers as they were after the removals.</summary>
    public static void Apply(HeaderMutationsModel mutations, HeaderMap headers, HttpExchange exchange)
    {
        if (mutations.IsEmpty)
        {
            return;
        }

        for (var i = 0; i < mutations.Remove.Count; i++)
        {
            headers.Remove(mutations.Remove[i]);
        }

        if (mutations.Add.Count == 0)
        {
            return;
        }

        // Values of all changes one after the other in one buffer, with where each ends; below 0 for those that fall away.
        var values = FormatBuffer.Rent();
        var count = mutations.Add.Count;
        Span<int> ends = count <= 64 ? stackalloc int[64] : new int[count];
        for (var i = 0; i < count; i++)
        {
            var mutation = mutations.Add[i];
            var start = values.Length;
            mutation.Value.Write(exchange, values);
            var applies = (values.Length > start || mutation.KeepEmptyValue) && mutation.Action switch
            {
                AppendAction.AddIfAbsent => !headers.TryGet(mutation.Name, out _),
                AppendAction.OverwriteIfExists => headers.TryGet(mutation.Name, out _),
                _ => true,
            };
            ends[i] = applies ? values.Length : ~start;
            if (!applies)
            {
                values.Truncate(start);
            }
        }

        Write(mutations, headers, values, ends, overwriting: true);
        Write(mutations, headers, values, ends, overwriting: false);
        values.Return();
    }

    private static void Write(HeaderMutationsModel mutations, HeaderMap headers, FormatBuffer values, ReadOnlySpan<int> ends, bool overwriting)
    {
        var start = 0;
        for (var i = 0; i < mutations.Add.Count; i++)
        {
            if (ends[i] < 0)
            {
                continue;
            }

            var mutation = mutations.Add[i];
            var value = values.Written[start..ends[i]];
            start = ends[i];
            if (mutation.Action is AppendAction.OverwriteIfExistsOrAdd or AppendAction.OverwriteIfExists == overwriting)
            {
                if (overwriting)
                {
                    headers.Set(mutation.Name, Sanitized(value));
                }
                else
                {
                    headers.Add(mutation.Name, Sanitized(value));
                }
            }
        }
    }

    // A value that comes from a request (a query parameter, a certificate) must not end the header it is put in.
    internal static ReadOnlySpan<byte> Sanitized(ReadOnlySpan<byte> value)
    {
        var bad = value.IndexOfAny((byte)'\r', (byte)'\n', (byte)0);
        return bad < 0 ? value : value[..bad];
    }
}

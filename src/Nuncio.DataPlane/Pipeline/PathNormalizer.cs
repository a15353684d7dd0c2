using System.Buffers;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using EscapedSlashes = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.PathWithEscapedSlashesAction;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>What cleaning a path came to.</summary>
public enum PathOutcome : byte
{
    /// <summary>The request goes on with the path as it is now.</summary>
    Continue,

    /// <summary>The path must not be served: 400.</summary>
    Reject,

    /// <summary>The client is sent to the cleaned path: 307.</summary>
    Redirect,
}

/// <summary>
/// Cleans <c>:path</c> before anything looks at it, so that what is matched is what the upstream sees: Envoy's <c>normalize_path</c> (dot segments of RFC 3986
/// section 5.2.4, backslashes, escapes of unreserved characters), escaped slashes, and <c>merge_slashes</c>, in this order. The query is left alone.
/// </summary>
public static class PathNormalizer
{
    private const int StackLimit = 512;

    // Characters of a path that normalisation leaves as they are, whatever stands around them; the dot matters only after a slash.
    private static readonly SearchValues<byte> Plain =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~.!$&'()*+,;=:@/[]^|"u8);

    /// <summary>Cleans the path of a request.</summary>
    public static PathOutcome Normalize(HeaderMap headers, PathNormalizationModel model)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(model);
        if (!headers.TryGet(KnownHeader.Path, out var target))
        {
            return PathOutcome.Continue;
        }

        if (target.Contains((byte)'#'))
        {
            // A fragment is none of a server's business; different servers read such a target differently.
            return PathOutcome.Reject;
        }

        var query = target.IndexOf((byte)'?');
        var path = query < 0 ? target : target[..query];
        if (!NeedsWork(path, model))
        {
            return PathOutcome.Continue;
        }

        // Escaping makes three bytes of one at most, and a missing slash is put in front.
        var capacity = (path.Length * 3) + 1 + target.Length - path.Length;
        var rented = capacity > StackLimit ? ArrayPool<byte>.Shared.Rent(capacity) : null;
        var buffer = rented ?? stackalloc byte[StackLimit];
        try
        {
            return Normalize(headers, model, path, target[path.Length..], buffer);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    private static bool NeedsWork(ReadOnlySpan<byte> path, PathNormalizationModel model)
    {
        if (model.MergeSlashes && path.IndexOf("//"u8) >= 0)
        {
            return true;
        }

        if (model.EscapedSlashes > EscapedSlashes.KeepUnchanged && path.Contains((byte)'%'))
        {
            return true;
        }

        return model.Normalize && (path.IsEmpty || path[0] != '/' || path.IndexOfAnyExcept(Plain) >= 0 || path.IndexOf("/."u8) >= 0);
    }

    private static PathOutcome Normalize(HeaderMap headers, PathNormalizationModel model, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query, Span<byte> buffer)
    {
        var outcome = PathOutcome.Continue;
        path.CopyTo(buffer);
        var length = path.Length;
        if (model.EscapedSlashes > EscapedSlashes.KeepUnchanged && UnescapeSlashes(buffer, ref length))
        {
            if (model.EscapedSlashes == EscapedSlashes.RejectRequest)
            {
                return PathOutcome.Reject;
            }

            if (model.EscapedSlashes == EscapedSlashes.UnescapeAndRedirect)
            {
                outcome = PathOutcome.Redirect;
            }
        }

        if (model.Normalize)
        {
            var original = ArrayPool<byte>.Shared.Rent(length);
            try
            {
                buffer[..length].CopyTo(original);
                if (!Canonicalize(original.AsSpan(0, length), buffer, out length))
                {
                    return PathOutcome.Reject;
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(original);
            }
        }

        if (model.MergeSlashes)
        {
            MergeSlashes(buffer, ref length);
        }

        query.CopyTo(buffer[length..]);
        headers.Set(KnownHeader.Path, buffer[..(length + query.Length)]);
        return outcome;
    }

    private static bool UnescapeSlashes(Span<byte> path, ref int length)
    {
        var to = 0;
        var found = false;
        for (var i = 0; i < length; i++)
        {
            var value = path[i];
            if (value == '%' && i + 2 < length && Unescaped(path[i + 1], path[i + 2]) is '/' or '\\')
            {
                value = (byte)Unescaped(path[i + 1], path[i + 2]);
                i += 2;
                found = true;
            }

            path[to++] = value;
        }

        length = to;
        return found;
    }

    private static bool Canonicalize(ReadOnlySpan<byte> path, Span<byte> output, out int length)
    {
        length = 0;
        if (path.IsEmpty || path[0] is not ((byte)'/' or (byte)'\\'))
        {
            output[length++] = (byte)'/';
        }

        for (var i = 0; i < path.Length; i++)
        {
            var dot = length > 0 && output[length - 1] == '/' ? DotLength(path[i..]) : 0;
            if (dot > 0 && TrySkipDots(path, ref i, dot, output, ref length))
            {
                continue;
            }

            var value = path[i];
            switch (value)
            {
                case (byte)'\\':
                    output[length++] = (byte)'/';
                    break;
                case (byte)'%':
                    var unescaped = i + 2 < path.Length ? Unescaped(path[i + 1], path[i + 2]) : -1;
                    if (unescaped == 0)
                    {
                        return false;
                    }

                    if (unescaped > 0 && IsUnreserved(unescaped))
                    {
                        output[length++] = (byte)unescaped;
                        i += 2;
                    }
                    else
                    {
                        output[length++] = value;
                    }

                    break;
                case <= (byte)' ' or (byte)'"' or (byte)'<' or (byte)'>' or (byte)'`' or (byte)'{' or (byte)'}' or >= 0x7f:
                    output[length++] = (byte)'%';
                    output[length++] = Hex(value >> 4);
                    output[length++] = Hex(value & 15);
                    break;
                default:
                    output[length++] = value;
                    break;
            }
        }

        return true;
    }

    // At a dot that begins a segment: "." and ".." end with a slash or with the path; anything else is a name.
    private static bool TrySkipDots(ReadOnlySpan<byte> path, ref int index, int dot, Span<byte> output, ref int length)
    {
        var next = index + dot;
        if (IsSegmentEnd(path, next))
        {
            index = next;
            return true;
        }

        var second = DotLength(path[next..]);
        if (second == 0 || !IsSegmentEnd(path, next + second))
        {
            return false;
        }

        index = next + second;
        var to = length - 1;
        if (to > 0)
        {
            to--;
            while (to > 0 && output[to] != '/')
            {
                to--;
            }
        }

        length = to + 1;
        return true;
    }

    private static bool IsSegmentEnd(ReadOnlySpan<byte> path, int index) => index >= path.Length || path[index] is (byte)'/' or (byte)'\\';

    /// <summary>The length of a dot at the beginning, escaped or not; 0 when there is none.</summary>
    private static int DotLength(ReadOnlySpan<byte> text) =>
        text.IsEmpty ? 0 : text[0] == '.' ? 1 : text.Length >= 3 && text[0] == '%' && text[1] == '2' && text[2] is (byte)'e' or (byte)'E' ? 3 : 0;

    private static void MergeSlashes(Span<byte> path, ref int length)
    {
        var to = 0;
        for (var i = 0; i < length; i++)
        {
            if (path[i] != '/' || to == 0 || path[to - 1] != '/')
            {
                path[to++] = path[i];
            }
        }

        // A path of nothing but slashes keeps two, as in Envoy: its first and its last.
        length = to == 1 && length > 1 ? 2 : to;
    }

    private static bool IsUnreserved(int value) => value is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '-' or '.' or '_' or '~';

    private static int Unescaped(byte high, byte low)
    {
        var a = HexValue(high);
        var b = HexValue(low);
        return a < 0 || b < 0 ? -1 : (a << 4) | b;
    }

    private static int HexValue(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => -1,
    };

    private static byte Hex(int value) => (byte)(value < 10 ? '0' + value : 'A' + value - 10);
}

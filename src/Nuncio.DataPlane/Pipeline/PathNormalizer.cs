using System.Buffers;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using EscapedSlashesAction = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.PathWithEscapedSlashesAction;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>What became of a path.</summary>
public enum PathNormalizationResult : byte
{
    /// <summary>It can be used.</summary>
    Continue,

    /// <summary>It cannot.</summary>
    Reject,

    /// <summary>The client shall come again with the new path.</summary>
    Redirect,
}

/// <summary>
/// Cleans paths before anything looks at them, so that a rule on <c>/admin</c> cannot be walked around by <c>/x/../admin</c>, <c>//admin</c> or
/// <c>/%61dmin</c>. The query is left as it is. As Envoy's (which uses Chromium's rules for URLs).
/// </summary>
public static class PathNormalizer
{
    /// <summary>Cleans <c>:path</c>.</summary>
    public static PathNormalizationResult Normalize(HeaderMap headers, PathNormalizationModel model)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(model);
        var target = headers.Get(KnownHeader.Path);
        if (target.IsEmpty)
        {
            return PathNormalizationResult.Continue;
        }

        if (target.Contains((byte)'#'))
        {
            return PathNormalizationResult.Reject;
        }

        if (!model.Normalize && !model.MergeSlashes && model.EscapedSlashes <= EscapedSlashesAction.KeepUnchanged)
        {
            return PathNormalizationResult.Continue;
        }

        var query = target.IndexOf((byte)'?');
        var path = query < 0 ? target : target[..query];
        if (!NeedsWork(path, model))
        {
            return PathNormalizationResult.Continue;
        }

        // An escaped character takes three bytes.
        var buffer = ArrayPool<byte>.Shared.Rent((path.Length * 3) + target.Length - path.Length);
        var result = Normalize(path, buffer, model, out var length);
        if (result != PathNormalizationResult.Reject)
        {
            if (query >= 0)
            {
                target[query..].CopyTo(buffer.AsSpan(length));
                length += target.Length - query;
            }

            headers.Set(KnownHeader.Path, buffer.AsSpan(0, length));
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return result;
    }

    // Nearly every path is clean: this look is all it costs.
    private static bool NeedsWork(ReadOnlySpan<byte> path, PathNormalizationModel model)
    {
        if (path.ContainsAny((byte)'%', (byte)'\\') || path.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E))
        {
            return true;
        }

        return path.IndexOf("/."u8) >= 0 || (model.MergeSlashes && path.IndexOf("//"u8) >= 0) || path.ContainsAny("\"<>`{}|^"u8);
    }

    private static PathNormalizationResult Normalize(ReadOnlySpan<byte> path, Span<byte> buffer, PathNormalizationModel model, out int length)
    {
        var result = PathNormalizationResult.Continue;
        length = 0;
        if (model.EscapedSlashes > EscapedSlashesAction.KeepUnchanged)
        {
            length = UnescapeSlashes(path, buffer, out var found);
            if (found && model.EscapedSlashes == EscapedSlashesAction.RejectRequest)
            {
                return PathNormalizationResult.Reject;
            }

            result = found && model.EscapedSlashes == EscapedSlashesAction.UnescapeAndRedirect ? PathNormalizationResult.Redirect : result;
        }
        else
        {
            path.CopyTo(buffer);
            length = path.Length;
        }

        if (model.Normalize)
        {
            var source = ArrayPool<byte>.Shared.Rent(length);
            buffer[..length].CopyTo(source);
            length = Canonicalize(source.AsSpan(0, length), buffer);
            ArrayPool<byte>.Shared.Return(source);
            if (length < 0)
            {
                return PathNormalizationResult.Reject;
            }

            length = RemoveDotSegments(buffer[..length]);
        }

        if (model.MergeSlashes)
        {
            MergeSlashes(buffer, ref length);
        }

        return result;
    }

    private static int UnescapeSlashes(ReadOnlySpan<byte> path, Span<byte> buffer, out bool found)
    {
        found = false;
        var to = 0;
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] == '%' && i + 2 < path.Length)
            {
                var isSlash = path[i + 1] == '2' && (path[i + 2] | 0x20) == 'f';
                var isBackslash = path[i + 1] == '5' && (path[i + 2] | 0x20) == 'c';
                if (isSlash || isBackslash)
                {
                    buffer[to++] = isSlash ? (byte)'/' : (byte)'\\';
                    found = true;
                    i += 2;
                    continue;
                }
            }

            buffer[to++] = path[i];
        }

        return to;
    }

    // Backslashes become slashes, needless escapes are undone, characters that no path may have are escaped. -1 for an escaped NUL.
    private static int Canonicalize(ReadOnlySpan<byte> path, Span<byte> buffer)
    {
        var to = 0;
        for (var i = 0; i < path.Length; i++)
        {
            var c = path[i];
            if (c == '%' && i + 2 < path.Length && FromHex(path[i + 1]) is >= 0 and var high && FromHex(path[i + 2]) is >= 0 and var low)
            {
                var value = (byte)((high << 4) | low);
                if (value == 0)
                {
                    return -1;
                }

                if (IsUnreserved(value))
                {
                    buffer[to++] = value;
                }
                else
                {
                    path.Slice(i, 3).CopyTo(buffer[to..]);
                    to += 3;
                }

                i += 2;
            }
            else if (c == '\\')
            {
                buffer[to++] = (byte)'/';
            }
            else if (c is <= 0x20 or >= 0x7F || "\"<>`{}|^"u8.Contains(c))
            {
                buffer[to++] = (byte)'%';
                buffer[to++] = "0123456789ABCDEF"u8[c >> 4];
                buffer[to++] = "0123456789ABCDEF"u8[c & 15];
            }
            else
            {
                buffer[to++] = c;
            }
        }

        return to;
    }

    // RFC 3986 section 5.2.4, in place.
    private static int RemoveDotSegments(Span<byte> path)
    {
        var to = 0;
        for (var at = 0; at < path.Length;)
        {
            // Here is a slash: the segment behind it ends at the next one.
            var rest = path[(at + 1)..];
            var slash = rest.IndexOf((byte)'/');
            var isLast = slash < 0;
            var segment = isLast ? rest : rest[..slash];
            var next = at + 1 + segment.Length;

            // Servers that know path parameters drop them before they look for dots: "..;a" climbs there, so it must not hide from the rules here.
            var parameters = segment.IndexOf((byte)';');
            var name = parameters < 0 ? segment : segment[..parameters];
            var isParent = name.SequenceEqual(".."u8);
            if (isParent || name.SequenceEqual("."u8))
            {
                if (isParent)
                {
                    to = Math.Max(path[..to].LastIndexOf((byte)'/'), 0);
                }

                if (isLast)
                {
                    path[to++] = (byte)'/';
                }
            }
            else
            {
                path[at..next].CopyTo(path[to..]);
                to += next - at;
            }

            at = next;
        }

        return to;
    }

    private static void MergeSlashes(Span<byte> buffer, ref int length)
    {
        var to = 0;
        for (var i = 0; i < length; i++)
        {
            if (buffer[i] != '/' || to == 0 || buffer[to - 1] != '/')
            {
                buffer[to++] = buffer[i];
            }
        }

        // Only slashes: Envoy keeps the first and the last one.
        if (to == 1 && length > 1)
        {
            buffer[to++] = (byte)'/';
        }

        length = to;
    }

    // Letters, digits and -._~: escaped or not, they mean the same (RFC 3986 section 2.3).
    private static bool IsUnreserved(byte value) => char.IsAsciiLetterOrDigit((char)value) || value is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~';

    private static int FromHex(byte value) => value switch
    {
        >= (byte)'0' and <= (byte)'9' => value - '0',
        >= (byte)'a' and <= (byte)'f' => value - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => value - 'A' + 10,
        _ => -1,
    };
}

using System.Buffers;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>Lists in headers.</summary>
internal static class HeaderText
{
    /// <summary>Appends to a header's value, making one header of several.</summary>
    public static void Append(HeaderMap headers, KnownHeader name, ReadOnlySpan<byte> value, ReadOnlySpan<byte> separator)
    {
        Join(headers, name, separator);
        var old = headers.Get(name);
        if (old.IsEmpty)
        {
            headers.Set(name, value);
            return;
        }

        var length = old.Length + separator.Length + value.Length;
        var rented = length > 512 ? ArrayPool<byte>.Shared.Rent(length) : null;
        var buffer = rented is null ? stackalloc byte[512] : rented.AsSpan();
        old.CopyTo(buffer);
        separator.CopyTo(buffer[old.Length..]);
        value.CopyTo(buffer[(old.Length + separator.Length)..]);
        headers.Set(name, buffer[..length]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Makes one header of several of a name.</summary>
    public static void Join(HeaderMap headers, KnownHeader name, ReadOnlySpan<byte> separator)
    {
        if (!headers.Contains(name) || headers.CountOf(KnownHeaders.NameOf(name)) < 2)
        {
            return;
        }

        var length = 0;
        foreach (var header in headers)
        {
            length += header.Known == name ? header.Value.Length + separator.Length : 0;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(length);
        var used = 0;
        foreach (var header in headers)
        {
            if (header.Known == name)
            {
                if (used > 0)
                {
                    separator.CopyTo(buffer.AsSpan(used));
                    used += separator.Length;
                }

                header.Value.CopyTo(buffer.AsSpan(used));
                used += header.Value.Length;
            }
        }

        headers.Set(name, buffer.AsSpan(0, used));
        ArrayPool<byte>.Shared.Return(buffer);
    }
}

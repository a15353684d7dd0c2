using System.Buffers;

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>Character classes of RFC 9110 section 5.6.2 and RFC 9112, as sets for vectorised search.</summary>
internal static class Http1Chars
{
    /// <summary>tchar: methods and header names.</summary>
    public static readonly SearchValues<byte> Token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>What ends or spoils a header value: every control character but tab. A CR must then be that of CR LF.</summary>
    public static readonly SearchValues<byte> NotInValue = SearchValues.Create(Build(static b => b is < 0x20 and not (byte)'\t' or 0x7f));

    /// <summary>
    /// What ends or spoils a request target: control characters, space and all that is not ASCII. Other characters outside of URI syntax pass, as with Envoy.
    /// </summary>
    public static readonly SearchValues<byte> NotInTarget = SearchValues.Create(Build(static b => b is <= 0x20 or >= 0x7f));

    private static byte[] Build(Func<byte, bool> member)
    {
        var bytes = new List<byte>();
        for (var b = 0; b <= byte.MaxValue; b++)
        {
            if (member((byte)b))
            {
                bytes.Add((byte)b);
            }
        }

        return [.. bytes];
    }
}

using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Nuncio.DataPlane.Tls;

/// <summary>
/// Distinguished names as text (RFC 2253), as OpenSSL writes them for Envoy: printable ASCII only, everything else escaped, so that nothing in a certificate
/// ends the header or the line that its name is put in.
/// </summary>
internal static class DistinguishedNameText
{
    private const string Special = ",+\"\\<>;";

    // Those that mean something else than they say are refused rather than replaced.
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly UnicodeEncoding Utf16 = new(bigEndian: true, byteOrderMark: false, throwOnInvalidBytes: true);
    private static readonly UTF32Encoding Utf32 = new(bigEndian: true, byteOrderMark: false, throwOnInvalidCharacters: true);

    /// <summary>The name, last part first: <c>CN=client,O=Example</c>. What cannot be read is written in hexadecimal.</summary>
    public static string Of(X500DistinguishedName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        try
        {
            var parts = new List<string>();
            var sequence = new AsnReader(name.RawData, AsnEncodingRules.BER).ReadSequence();
            while (sequence.HasData)
            {
                parts.Add(Part(sequence.ReadSetOf(skipSortOrderValidation: true)));
            }

            parts.Reverse();
            return string.Join(',', parts);
        }
        catch (AsnContentException)
        {
            return Hexadecimal(name.RawData);
        }
    }

    // One, or several that belong together.
    private static string Part(AsnReader set)
    {
        var pairs = new List<string>();
        while (set.HasData)
        {
            var pair = set.ReadSequence();
            var type = pair.ReadObjectIdentifier();
            var value = pair.ReadEncodedValue();
            var name = ShortName(type);
            pairs.Add(name is not null && Read(value) is { } readable ? $"{name}={Escape(readable)}" : $"{name ?? type}={Hexadecimal(value.Span)}");
        }

        pairs.Reverse();
        return string.Join('+', pairs);
    }

    // Leniently: what is no PrintableString by the letter, an underscore for instance, is found in many certificates.
    private static string? Read(ReadOnlyMemory<byte> value)
    {
        try
        {
            var tag = AsnDecoder.ReadEncodedValue(value.Span, AsnEncodingRules.BER, out var offset, out var length, out _);
            var bytes = value.Span.Slice(offset, length);
            if (tag.TagClass != TagClass.Universal || tag.IsConstructed)
            {
                return null;
            }

            return (UniversalTagNumber)tag.TagValue switch
            {
                UniversalTagNumber.UTF8String => Utf8.GetString(bytes),
                UniversalTagNumber.BMPString => Utf16.GetString(bytes),
                UniversalTagNumber.UniversalString => Utf32.GetString(bytes),
                UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String or UniversalTagNumber.T61String or UniversalTagNumber.VisibleString
                    or UniversalTagNumber.NumericString => Encoding.Latin1.GetString(bytes),
                _ => null,
            };
        }
        catch (Exception e) when (e is AsnContentException or ArgumentException)
        {
            return null;
        }
    }

    private static string Escape(string value)
    {
        var text = new StringBuilder();
        var bytes = Encoding.UTF8.GetBytes(value);
        for (var i = 0; i < bytes.Length; i++)
        {
            var c = (char)bytes[i];
            if (c is < ' ' or >= '\x7f')
            {
                text.Append('\\').Append(bytes[i].ToString("X2", CultureInfo.InvariantCulture));
                continue;
            }

            if (Special.Contains(c, StringComparison.Ordinal) || (i == 0 && c is '#' or ' ') || (i == bytes.Length - 1 && c == ' '))
            {
                text.Append('\\');
            }

            text.Append(c);
        }

        return text.ToString();
    }

    private static string Hexadecimal(ReadOnlySpan<byte> der) => "#" + Convert.ToHexString(der);

    private static string? ShortName(string type) => type switch
    {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.17" => "postalCode",
        "2.5.4.41" => "name",
        "2.5.4.42" => "GN",
        "2.5.4.43" => "initials",
        "2.5.4.46" => "dnQualifier",
        "1.2.840.113549.1.9.1" => "emailAddress",
        "1.2.840.113549.1.9.2" => "unstructuredName",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        _ => null,
    };
}

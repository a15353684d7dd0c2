using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Envoy.Type.Matcher.V3;
using Nuncio.DataPlane.Binding;
using SanType = Envoy.Extensions.TransportSockets.Tls.V3.SubjectAltNameMatcher.Types.SanType;

namespace Nuncio.DataPlane.Tls;

/// <summary>Matches subject alternative names (RFC 5280 section 4.2.1.6) of a certificate. Bound from a <c>SubjectAltNameMatcher</c>.</summary>
internal sealed class SubjectNameMatcher
{
    private const string SubjectAlternativeName = "2.5.29.17";
    private readonly SanType? _type;
    private readonly StringMatcher _text;

    private SubjectNameMatcher(SanType? type, StringMatcher text)
    {
        _type = type;
        _text = text;
    }

    public static SubjectNameMatcher? Bind(TlsV3.SubjectAltNameMatcher message, string path, BindErrors errors)
    {
        if (message.SanType is SanType.Email or SanType.Dns or SanType.Uri or SanType.IpAddress)
            return Bind(message.SanType, message.Matcher, BindErrors.Path(path, "matcher"), errors);
        errors.Add(BindErrors.Path(path, "san_type"), $"{message.SanType} is not supported");
        return null;
    }

    /// <summary>Any type of name when <paramref name="type"/> is null.</summary>
    public static SubjectNameMatcher? Bind(SanType? type, StringMatcher? text, string path, BindErrors errors)
    {
        if (text?.MatchPatternCase is StringMatcher.MatchPatternOneofCase.Exact or StringMatcher.MatchPatternOneofCase.Prefix
            or StringMatcher.MatchPatternOneofCase.Suffix or StringMatcher.MatchPatternOneofCase.Contains)
            return new SubjectNameMatcher(type, text);
        errors.Add(path, "only exact, prefix, suffix and contains are supported for names of certificates");
        return null;
    }

    /// <summary>One name, of any type where <paramref name="type"/> is null; a DNS name of the certificate may have a wildcard.</summary>
    public static SubjectNameMatcher Exactly(SanType? type, string name) => new(type, new StringMatcher { Exact = name });

    public bool Matches(X509Certificate2 certificate)
    {
        foreach (var extension in certificate.Extensions)
        {
            if (extension.Oid?.Value == SubjectAlternativeName && MatchesAny(extension.RawData))
                return true;
        }

        return false;
    }

    private bool MatchesAny(byte[] names)
    {
        try
        {
            var list = new AsnReader(names, AsnEncodingRules.DER).ReadSequence();
            while (list.HasData)
            {
                var tag = list.PeekTag();
                SanType? type = tag.TagClass != TagClass.ContextSpecific ? null : tag.TagValue switch
                {
                    1 => SanType.Email,
                    2 => SanType.Dns,
                    6 => SanType.Uri,
                    7 => SanType.IpAddress,
                    _ => null,
                };
                if (type is null || (_type is not null && _type != type))
                {
                    list.ReadEncodedValue();
                    continue;
                }

                var text = type == SanType.IpAddress
                    ? new IPAddress(list.ReadOctetString(tag)).ToString()
                    : list.ReadCharacterString(UniversalTagNumber.IA5String, tag);
                if (Matches(type.Value, text))
                    return true;
            }
        }
        catch (Exception e) when (e is AsnContentException or ArgumentException or DecoderFallbackException)
        {
            // A damaged extension names nobody.
        }

        return false;
    }

    private bool Matches(SanType type, string name)
    {
        var comparison = _text.IgnoreCase || type == SanType.Dns ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return _text.MatchPatternCase switch
        {
            // A wildcard certificate is good for one label, as Envoy's exact match of DNS names has it.
            StringMatcher.MatchPatternOneofCase.Exact => name.Equals(_text.Exact, comparison) || (type == SanType.Dns && IsCoveredBy(_text.Exact, name)),
            StringMatcher.MatchPatternOneofCase.Prefix => name.StartsWith(_text.Prefix, comparison),
            StringMatcher.MatchPatternOneofCase.Suffix => name.EndsWith(_text.Suffix, comparison),
            _ => name.Contains(_text.Contains, comparison),
        };
    }

    private static bool IsCoveredBy(string wanted, string pattern)
    {
        var dot = wanted.IndexOf('.', StringComparison.Ordinal);
        return pattern.StartsWith("*.", StringComparison.Ordinal) && dot > 0
            && wanted.AsSpan(dot).Equals(pattern.AsSpan(1), StringComparison.OrdinalIgnoreCase);
    }
}

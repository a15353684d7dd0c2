using System.Security.Authentication;

namespace Nuncio.DataPlane.Tls.OpenSsl;

/// <summary>What a filter chain asks of OpenSSL beside its certificate. Equal ones share a context, and with it what sessions are resumed by.</summary>
internal sealed record OpenSslServerSettings
{
    /// <summary>The versions that may be negotiated.</summary>
    public required SslProtocols Versions { get; init; }

    /// <summary>ALPN, in order of preference, with commas between; empty for none.</summary>
    public required string Protocols { get; init; }

    /// <summary>The suites of TLS 1.2, OpenSSL's names with colons between; null for its own choice.</summary>
    public string? Ciphers { get; init; }

    /// <summary>The groups of the key exchange, OpenSSL's names with colons between; null for its own choice.</summary>
    public string? Groups { get; init; }

    /// <summary>Among the suites of TLS 1.2 the client's order counts.</summary>
    public bool PrefersClientCiphers { get; init; }

    /// <summary>Sessions can be resumed by tickets (RFC 5077 and RFC 8446 section 2.2).</summary>
    public bool AllowsTickets { get; init; }

    /// <summary>Sessions of TLS 1.2 can be resumed by their identifiers (RFC 5246 section 7.4.1.2), which this process remembers.</summary>
    public bool AllowsIdentifiers { get; init; }

    /// <summary>What is asked of clients.</summary>
    public ClientCertificateUse Clients { get; init; }

    /// <summary>
    /// What their certificates are verified with; null for nothing, or where none are asked for. Other contents are another model, and no equal settings.
    /// </summary>
    public ValidationModel? Validation { get; init; }

    /// <summary>For how long a session can be resumed, in seconds; null for two hours.</summary>
    public long? SessionSeconds { get; init; }

    /// <summary>OpenSSL is there, and the settings are such that it can be used.</summary>
    public static bool Supports(SslProtocols versions) => LibSsl.IsAvailable && (versions & ~(SslProtocols.Tls12 | SslProtocols.Tls13)) == 0;
}

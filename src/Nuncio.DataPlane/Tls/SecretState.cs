namespace Nuncio.DataPlane.Tls;

/// <summary>
/// One secret by name, whatever it holds now. Models hold the state, not the content: a rotated certificate is used by the next handshake and changes nothing
/// else. Without content every handshake that needs it fails: nothing goes on without the protection that was asked for.
/// </summary>
/// <param name="name">The secret's name; empty for what stands in the configuration itself.</param>
public sealed class SecretState(string name = "")
{
    private volatile TlsCertificateModel? _certificate;
    private volatile ValidationModel? _validation;

    /// <summary>The secret's name; empty for what stands in the configuration itself.</summary>
    public string Name => name;

    /// <summary>A certificate with key; null when the secret is not there or holds something else.</summary>
    public TlsCertificateModel? Certificate => _certificate;

    /// <summary>A validation context; null likewise.</summary>
    public ValidationModel? Validation => _validation;

    /// <summary>Puts new content in place.</summary>
    public void Replace(TlsCertificateModel? certificate, ValidationModel? validation)
    {
        _certificate = certificate;
        _validation = validation;
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Tls.OpenSsl;

namespace Nuncio.DataPlane.Tls;

/// <summary>
/// What one client presents in its handshake, and what is thought of it. A session that goes on presents again what it began with: it is verified anew, with
/// the authorities, the revocation lists and the time of now.
/// </summary>
/// <param name="isRequired">Nobody is let in without a certificate.</param>
/// <param name="validation">What it is verified with; null lets in whatever it is.</param>
/// <param name="time">The clock.</param>
/// <param name="metrics">Where refusals are counted by their kind; null for nowhere.</param>
internal sealed class ClientCertificateCheck(bool isRequired, ValidationModel? validation, TimeProvider time, ListenerMetrics? metrics) : IOpenSslClientCheck
{
    // A ticket is sent with each connection; who has more to put into it begins anew each time instead.
    private const int MaxTicketData = 16 * 1024;

    // What is remembered is held parsed, at several times its length, for as long as sessions can be resumed.
    private const int MaxRememberedData = 8 * 1024;

    private static readonly byte[] NotToBeResumed = [1];

    private bool _isGood;
    private bool _isPresented;
    private byte[]? _leaf;
    private List<byte[]> _others = [];
    private byte[]? _ticketData;

    /// <summary>The client's certificate; null where it has presented none.</summary>
    public X509Certificate2? Certificate { get; private set; }

    /// <summary>All that it has presented, its own first; null likewise.</summary>
    public IReadOnlyList<X509Certificate2>? Chain { get; private set; }

    /// <summary>It was verified, and passed.</summary>
    public bool IsValidated { get; private set; }

    /// <summary>The handshake has failed for what was presented, which is counted.</summary>
    public bool IsRefused { get; private set; }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> TicketData => _ticketData ??= Pack();

    /// <inheritdoc/>
    public bool IsSmallEnoughToRemember => Length <= MaxRememberedData;

    private int Length => _others.Sum(static one => sizeof(int) + one.Length) + (_leaf?.Length ?? 0);

    /// <summary>Frees what was presented, where nobody is let in: those who are refused could otherwise fill the memory sooner than the collector sees it.</summary>
    public void Release()
    {
        foreach (var one in Chain ?? [])
        {
            one.Dispose();
        }

        Certificate?.Dispose();
        Certificate = null;
        Chain = null;
    }

    /// <inheritdoc/>
    public bool TryGoWithout()
    {
        Forget();
        _isGood = !isRequired;
        if (isRequired)
        {
            IsRefused = true;
            metrics?.SslFailVerifyNoCert.Increment();
        }

        return _isGood;
    }

    /// <inheritdoc/>
    public bool ConfirmsNew() => _isPresented || TryGoWithout();

    /// <inheritdoc/>
    public int Verify(byte[] certificate, List<byte[]> others)
    {
        Forget();
        if (Judge(certificate, others) is { } refusal)
        {
            (refusal.Kind switch
            {
                CertificateRefusalKind.Name => metrics?.SslFailVerifySan,
                CertificateRefusalKind.Pin => metrics?.SslFailVerifyCertHash,
                _ => metrics?.SslFailVerifyError,
            })?.Increment();
            if (validation is not { AcceptsUntrusted: true })
            {
                IsRefused = true;
                Release();
                return VerificationErrors.ForPeer(refusal.Error);
            }
        }

        _isGood = _isPresented = true;
        return 0;
    }

    /// <inheritdoc/>
    public bool MayResume(byte[]? certificate, ReadOnlySpan<byte> ticketData)
    {
        Forget();
        if (certificate is null)
        {
            return _isGood = !isRequired;
        }

        return Unpack(ticketData) is { } others && Goes(certificate, others);
    }

    /// <inheritdoc/>
    public bool ConfirmsResumed(byte[]? certificate, List<byte[]>? others, ReadOnlySpan<byte> ticketData)
    {
        if (certificate is null || others is null)
        {
            var isSame = _leaf is null ? certificate is null : certificate is not null && certificate.AsSpan().SequenceEqual(_leaf);
            return (isSame && _isGood && ticketData.SequenceEqual(TicketData)) || MayResume(certificate, ticketData);
        }

        Forget();
        return Goes(certificate, others);
    }

    // What was refused once is not counted here: it begins anew, and is refused then.
    private bool Goes(byte[] certificate, List<byte[]> others) =>
        _isGood = Judge(certificate, others) is null || validation is { AcceptsUntrusted: true };

    private CertificateRefusal? Judge(byte[] certificate, List<byte[]> others)
    {
        _leaf = certificate;
        _others = others;
        Certificate = X509CertificateLoader.LoadCertificate(certificate);
        var refusal = validation?.Verify(Certificate, others, peerIsClient: true, time.GetUtcNow());
        if (refusal is null || validation is { AcceptsUntrusted: true })
        {
            Chain = [Certificate, .. others.Select(X509CertificateLoader.LoadCertificate)];
        }

        IsValidated = refusal is null && validation is { Validates: true };
        return refusal;
    }

    private void Forget()
    {
        _isGood = _isPresented = IsValidated = IsRefused = false;
        _leaf = null;
        _others = [];
        _ticketData = null;
        Release();
    }

    // Each certificate with its length in front.
    private byte[] Pack()
    {
        if (Length > MaxTicketData)
        {
            return NotToBeResumed;
        }

        var data = new byte[Length - (_leaf?.Length ?? 0)];
        var rest = data.AsSpan();
        foreach (var one in _others)
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, one.Length);
            one.CopyTo(rest[sizeof(int)..]);
            rest = rest[(sizeof(int) + one.Length)..];
        }

        return data;
    }

    private static List<byte[]>? Unpack(ReadOnlySpan<byte> data)
    {
        var others = new List<byte[]>();
        while (data.Length >= sizeof(int))
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(data);
            if (length <= 0 || length > data.Length - sizeof(int))
            {
                return null;
            }

            others.Add(data.Slice(sizeof(int), length).ToArray());
            data = data[(sizeof(int) + length)..];
        }

        return data.IsEmpty ? others : null;
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Tls;
using Nuncio.DataPlane.Tls.OpenSsl;

namespace Nuncio.DataPlane.Tests.Tls;

/// <summary>Certificates that a trusted authority has signed in a way that anybody can transfer to another certificate.</summary>
public sealed class ForgeableSignatureTests : IDisposable
{
    private readonly RSA _key = RSA.Create(2048);

    [SkippableTheory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Certificate_SignedWithMd5_IsRefused(bool isMd5, bool isLetIn)
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var now = DateTimeOffset.UtcNow;
        var request = new CertificateRequest("CN=authority", _key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        using var authority = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
        var generator = isMd5 ? new Md5Generator(_key) : X509SignatureGenerator.CreateForRSA(_key, RSASignaturePadding.Pkcs1);
        using var leaf = new CertificateRequest("CN=client", _key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .Create(authority.SubjectName, generator, now.AddHours(-1), now.AddDays(1), [1]);
        var message = new TlsV3.CertificateValidationContext { TrustedCa = new CoreV3.DataSource { InlineString = authority.ExportCertificatePem() } };
        var errors = new BindErrors();
        var model = ValidationModel.Bind(message, "validation", errors).ShouldNotBeNull();

        (model.Verify(leaf, [], peerIsClient: true, now) is null).ShouldBe(isLetIn);
    }

    public void Dispose() => _key.Dispose();

#pragma warning disable CA5351 // what is tested is that it is refused
    private sealed class Md5Generator(RSA key) : X509SignatureGenerator
    {
        // md5WithRSAEncryption
        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) =>
            [0x30, 13, 0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 4, 5, 0];

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => key.SignData(data, HashAlgorithmName.MD5, RSASignaturePadding.Pkcs1);

        protected override PublicKey BuildPublicKey() => PublicKey.CreateFromSubjectPublicKeyInfo(key.ExportSubjectPublicKeyInfo(), out _);
    }
#pragma warning restore CA5351
}

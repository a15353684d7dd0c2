using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Channels;
using Nuncio.Resources.Reading;

namespace Nuncio.Sources.Istio;

/// <summary>
/// The certificate that an Istio sidecar writes into a folder, as the Secret <see cref="SecretName"/> (spec 12). Certificate and key are written one after the
/// other: until they belong together, what was there before stays. Its Secret comes before one of the same name in a manifest.
/// </summary>
/// <param name="folder">Where <c>cert-chain.pem</c> and <c>key.pem</c> are written; need not exist yet.</param>
/// <param name="ownNamespace">The namespace of the Secret: the gateway's own.</param>
/// <param name="reader">Reads the Secret as it reads manifests.</param>
/// <param name="time">For the time between two looks.</param>
public sealed class IstioSecretSource(string folder, string ownNamespace, ManifestReader reader, TimeProvider time) : IResourceSource
{
    /// <summary>The name of the Secret.</summary>
    public const string SecretName = "istio-certs";

    /// <summary>A mounted folder does not always notify; certificates change every few hours.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private string? _text;

    /// <inheritdoc/>
    public string Name => "certificates";

    /// <summary>What changed since the last look.</summary>
    public IReadOnlyList<ResourceChange> ReadOnce()
    {
        var text = Secret(ReadText("cert-chain.pem"), ReadText("key.pem"), _text);
        if (text == _text) return [];
        _text = text;
        return [new ResourceChange(Name, folder, text is null ? null : reader.Read(folder, text), [])];
    }

    /// <inheritdoc/>
    public async Task RunAsync(ChannelWriter<SourceEvent> events, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(events);
        for (var synced = false; ; await Task.Delay(LookInterval, time, cancellationToken))
        {
            foreach (var change in ReadOnce()) await events.WriteAsync(change, cancellationToken);
            if (!synced) await events.WriteAsync(new SourceSynced(Name), cancellationToken);
            synced = true;
        }
    }

    private string? Secret(string? chain, string? key, string? before)
    {
        if (chain is null || key is null) return null;
        try
        {
            using var pair = X509Certificate2.CreateFromPem(chain, key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return before;
        }

        return $$"""
            apiVersion: v1
            kind: Secret
            type: kubernetes.io/tls
            metadata: { name: {{SecretName}}, namespace: {{ownNamespace}} }
            data: { tls.crt: {{Base64(chain)}}, tls.key: {{Base64(key)}} }

            """;
    }

    private string? ReadText(string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not there, or not yet.
            return null;
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}

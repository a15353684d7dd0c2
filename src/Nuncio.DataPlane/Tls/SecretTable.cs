using System.Collections.Concurrent;
using Nuncio.DataPlane.Binding;
using Nuncio.Xds;

namespace Nuncio.DataPlane.Tls;

/// <summary>The secrets of a data plane by name (SDS). A secret that is refused keeps its last good content.</summary>
public sealed class SecretTable
{
    private const string TypeUrl = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

    private readonly ConcurrentDictionary<string, SecretState> _states = new(StringComparer.Ordinal);
    private readonly Dictionary<string, XdsVersion> _versions = new(StringComparer.Ordinal);

    /// <summary>The state of a name, empty until a secret of that name comes.</summary>
    public SecretState Find(string name) => _states.GetOrAdd(name, static key => new SecretState(key));

    /// <summary>Takes the secrets of a snapshot; unchanged ones cost nothing. Calls come one at a time.</summary>
    public void Apply(IReadOnlyDictionary<string, XdsResource<TlsV3.Secret>> secrets, List<XdsRejection> rejections)
    {
        ArgumentNullException.ThrowIfNull(secrets);
        ArgumentNullException.ThrowIfNull(rejections);
        foreach (var name in _versions.Keys.Where(name => !secrets.ContainsKey(name)).ToList())
        {
            _versions.Remove(name);
            Find(name).Replace(null, null);
        }

        foreach (var (name, secret) in secrets)
        {
            if (_versions.TryGetValue(name, out var version) && version == secret.Version)
                continue;
            if (Take(secret.Message, Find(name), rejections))
                _versions[name] = secret.Version;
        }
    }

    private static bool Take(TlsV3.Secret secret, SecretState state, List<XdsRejection> rejections)
    {
        var errors = new BindErrors();
        TlsCertificateModel? certificate = null;
        ValidationModel? validation = null;
        switch (secret.TypeCase)
        {
            case TlsV3.Secret.TypeOneofCase.TlsCertificate:
                certificate = TlsCertificateModel.Bind(secret.TlsCertificate, "tls_certificate", errors);
                break;
            case TlsV3.Secret.TypeOneofCase.ValidationContext:
                validation = ValidationModel.Bind(secret.ValidationContext, "validation_context", errors);
                break;
            default:
                errors.Add("type", $"{secret.TypeCase} is not supported");
                break;
        }

        foreach (var error in errors.All)
            rejections.Add(new XdsRejection(TypeUrl, secret.Name, error.FieldPath, error.Message, error.IsPartial));
        if (errors.Any)
            return false;
        state.Replace(certificate, validation);
        return true;
    }
}

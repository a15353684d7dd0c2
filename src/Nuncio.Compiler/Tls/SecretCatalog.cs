using Nuncio.Resources.Core;

namespace Nuncio.Compiler.Tls;

/// <summary>The Secrets of a snapshot by namespace and name. Reading one is put off until something refers to it, and done once per object.</summary>
internal sealed class SecretCatalog
{
    private readonly Dictionary<(string Namespace, string Name), SecretResource> _secrets;
    private readonly Dictionary<SecretResource, SecretMaterial?> _read = new(ReferenceEqualityComparer.Instance);

    /// <param name="secrets">The snapshot's.</param>
    /// <param name="previous">The catalog of the compilation before: what it read of objects that are still there is kept.</param>
    public SecretCatalog(ImmutableArray<SecretResource> secrets, SecretCatalog? previous = null)
    {
        _secrets = new(secrets.Length);
        foreach (var secret in secrets)
        {
            _secrets[(secret.Namespace, secret.Name)] = secret;
            if (previous is not null && previous._read.TryGetValue(secret, out var material)) _read[secret] = material;
        }
    }

    /// <summary>
    /// The material of a Secret; null, with the reason, when there is no such Secret, its type is not one that is looked at, or none of its keys is
    /// recognised.
    /// </summary>
    public SecretMaterial? Find(string @namespace, string name, out string problem)
    {
        problem = "";
        if (!_secrets.TryGetValue((@namespace, name), out var secret))
        {
            problem = $"there is no Secret {@namespace}/{name}";
            return null;
        }
        if (!SecretReader.IsAcceptedType(secret.Type))
        {
            problem = $"Secret {@namespace}/{name} is of type {secret.Type}";
            return null;
        }
        if (!_read.TryGetValue(secret, out var material))
        {
            material = SecretReader.Read(secret);
            _read[secret] = material;
        }
        if (material is null) problem = $"Secret {@namespace}/{name} has none of the keys that are recognised";
        return material;
    }
}

namespace Nuncio.Compiler.Planning;

/// <summary>A cluster with its final name. Kept from one compilation to the next while nothing of it changes.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Upstream">Its settings.</param>
/// <param name="Tls">The TLSContext it originates TLS with; null when it names none, or one that cannot be used.</param>
/// <param name="TlsMissing">It names a TLSContext that cannot be used: it then has no endpoint, rather than sending in the clear.</param>
public sealed record ClusterPlan(string Name, UpstreamPlan Upstream, UpstreamTlsPlan? Tls, bool TlsMissing)
{
    /// <summary>An object, not a value: kept plans are recognised by reference.</summary>
    public bool Equals(ClusterPlan? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}

namespace Nuncio.ParityTests;

/// <summary>Bytes that both planes are sent on a connection of its own, and compared by what comes back.</summary>
/// <param name="Area">What it belongs to, for the page.</param>
/// <param name="Name">Unique; also the mark by which the access log and the upstream's view are found, where it stands in the target as <c>ID</c>.</param>
/// <param name="Bytes">Latin-1. <c>ID</c> stands for the name.</param>
/// <param name="Method">What the response answers: one to HEAD has no body.</param>
/// <param name="ServerName">Over TLS with this name; null for cleartext.</param>
public sealed record Exchange(string Area, string Name, string Bytes, string Method = "GET", string? ServerName = null)
{
    /// <inheritdoc/>
    public override string ToString() => Name;
}

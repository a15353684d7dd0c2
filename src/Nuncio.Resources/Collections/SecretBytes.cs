using System.Security.Cryptography;

namespace Nuncio.Resources.Collections;

/// <summary>Bytes that must not reach a log: printing shows the length only. Equal when the bytes are.</summary>
public sealed class SecretBytes(ReadOnlyMemory<byte> value) : IEquatable<SecretBytes>
{
    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Value { get; } = value;

    /// <inheritdoc/>
    public bool Equals(SecretBytes? other) => other is not null && CryptographicOperations.FixedTimeEquals(Value.Span, other.Value.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SecretBytes);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Value.Span);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() => $"<{Value.Length} bytes>";
}

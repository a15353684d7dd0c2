namespace Nuncio.Xds;

/// <summary>Why a JSON text is not the message it should be.</summary>
/// <param name="FieldPath">Where, in proto names (<c>virtual_hosts[0].routes[3].match</c>); empty for the whole text.</param>
/// <param name="Message">Why, for a person.</param>
public sealed record XdsJsonError(string FieldPath, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => FieldPath.Length == 0 ? Message : $"{FieldPath}: {Message}";
}

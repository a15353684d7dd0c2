namespace Nuncio.Resources.Collections;

/// <summary>An untyped part of a resource as compact JSON text, keys in the order they were written. Equal when the text is.</summary>
/// <param name="Text">Valid JSON.</param>
public readonly record struct JsonText(string Text)
{
    /// <inheritdoc/>
    public override string ToString() => Text;
}

using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Formatting;

/// <summary>
/// Text with Envoy's command operators (<c>%REQ(:path)%</c>), or JSON of such texts. Bound once; writing makes no garbage.
/// </summary>
public abstract class SubstitutionFormat
{
    /// <summary>Where it is the same for every request: its bytes; else null.</summary>
    public virtual byte[]? Constant => null;

    /// <summary>Writes it for a request.</summary>
    public abstract void Write(HttpExchange exchange, FormatBuffer buffer);

    /// <summary>The same text for every request.</summary>
    public static SubstitutionFormat Of(ReadOnlySpan<byte> constant) => new TextFormat([new FormatOperator(constant.ToArray())], omitEmpty: true);

    /// <summary>Parses a text; null with the reason where an operator is unknown or malformed.</summary>
    /// <param name="format">The text.</param>
    /// <param name="omitEmpty">A value that a request does not have is nothing instead of <c>-</c>.</param>
    /// <param name="error">The reason.</param>
    /// <param name="absent">Gets the operators that Envoy has and we do not, which are then without a value; null: they are an error.</param>
    public static SubstitutionFormat? TryParse(string format, bool omitEmpty, out string error, ISet<string>? absent = null) =>
        FormatParser.TryParse(format, out var operators, out error, absent) ? new TextFormat(operators, omitEmpty) : null;

    private sealed class TextFormat(FormatOperator[] operators, bool omitEmpty) : SubstitutionFormat
    {
        public override byte[]? Constant { get; } = operators switch
        {
            [] => [],
            [{ IsLiteral: true } only] => only.Literal.ToArray(),
            _ => null,
        };

        public override void Write(HttpExchange exchange, FormatBuffer buffer)
        {
            foreach (var part in operators)
            {
                if (!part.TryWrite(exchange, buffer) && !omitEmpty)
                {
                    buffer.Write((byte)'-');
                }
            }
        }
    }
}

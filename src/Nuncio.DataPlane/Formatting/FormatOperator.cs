using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Formatting;

/// <summary>Writes the value of an operator; false where the request has none.</summary>
internal delegate bool FormatValueWriter(HttpExchange exchange, FormatBuffer buffer);

/// <summary>One <c>%OPERATOR%</c> of a format, or the literal text between two.</summary>
internal sealed class FormatOperator
{
    private readonly FormatValueWriter? _writer;
    private readonly byte[] _literal = [];
    private readonly int _maxLength;

    public FormatOperator(byte[] literal) => _literal = literal;

    public FormatOperator(FormatValueWriter writer, bool isNumber, int maxLength)
    {
        _writer = writer;
        IsNumber = isNumber;
        _maxLength = maxLength;
    }

    /// <summary>In JSON it is a number.</summary>
    public bool IsNumber { get; }

    public bool IsLiteral => _writer is null;

    public ReadOnlySpan<byte> Literal => _literal;

    public bool TryWrite(HttpExchange exchange, FormatBuffer buffer)
    {
        if (_writer is null)
        {
            buffer.Write(_literal);
            return true;
        }

        var start = buffer.Length;
        if (!_writer(exchange, buffer))
        {
            buffer.Truncate(start);
            return false;
        }

        if (_maxLength > 0 && buffer.Length - start > _maxLength)
        {
            buffer.Truncate(start + _maxLength);
        }

        return true;
    }
}

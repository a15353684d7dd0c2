using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Formatting;

/// <summary>Writes the value of an operator; false where the request has none.</summary>
internal delegate bool FormatValueWriter(HttpExchange exchange, FormatBuffer buffer);

/// <summary>One <c>%OPERATOR%</c> of a format, or the literal text between two.</summary>
internal sealed class FormatOperator
{
    private readonly FormatValueWriter? _writer;
    private readonly byte[] _literal = [];
    private readonly FormatValueWriter? _json;
    private readonly bool _isNumber;
    private readonly int _maxLength;

    public FormatOperator(byte[] literal) => _literal = literal;

    public FormatOperator(FormatValueWriter writer, bool isNumber, int maxLength)
    {
        _writer = writer;
        _isNumber = isNumber;
        _maxLength = maxLength;
    }

    /// <summary>One whose value is JSON of any kind, and in text a string as it is.</summary>
    /// <param name="writer">As text.</param>
    /// <param name="json">As JSON.</param>
    /// <param name="maxLength">Of the text, in bytes; 0 for no limit.</param>
    public FormatOperator(FormatValueWriter writer, FormatValueWriter json, int maxLength)
        : this(writer, isNumber: false, maxLength) =>
        _json = json;

    /// <summary>In JSON it is written as it is: a number, or JSON already.</summary>
    public bool IsJson => _isNumber || _json is not null;

    public bool IsLiteral => _writer is null;

    public ReadOnlySpan<byte> Literal => _literal;

    /// <summary>Writes the value as JSON, where <see cref="IsJson"/>.</summary>
    public bool TryWriteJson(HttpExchange exchange, FormatBuffer buffer) => _json is null ? TryWrite(exchange, buffer) : _json(exchange, buffer);

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

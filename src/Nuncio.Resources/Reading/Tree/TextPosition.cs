using YamlDotNet.Core;

namespace Nuncio.Resources.Reading.Tree;

/// <summary>Where a piece of text begins in its file; 1-based.</summary>
/// <param name="Line">The line of its first character.</param>
/// <param name="Column">The column of the first character of each of its lines; 1 unless it was indented.</param>
/// <param name="IsExact">False when lines of the piece are not lines of the file (a quoted or folded scalar): everything is then at the beginning.</param>
internal readonly record struct TextPosition(int Line, int Column, bool IsExact = true)
{
    public static TextPosition Start { get; } = new(1, 1);

    public int LineOf(Mark mark) => IsExact ? Line + (int)mark.Line - 1 : Line;

    public int ColumnOf(Mark mark) => IsExact ? Column + (int)mark.Column - 1 : Column;
}

using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Conformance.Smuggling;

/// <summary>A line of a corpus.</summary>
/// <param name="Name">What it tries.</param>
/// <param name="Want">What is to come of it.</param>
/// <param name="Difference">Why Envoy may do otherwise; empty where it may not.</param>
/// <param name="Text">The bytes, see <see cref="RawText"/>.</param>
internal sealed record Case(string Name, string Want, string Difference, string Text)
{
    /// <summary>The bytes with the mark in the places for it.</summary>
    public string Bytes(string mark) => string.Concat(RawText.Pieces(Text).Select(piece => piece == "{id}" ? mark : piece));
}

/// <summary>Reads the corpora beside the tests.</summary>
internal static class Corpus
{
    public static IReadOnlyList<Case> Read(string file) =>
    [
        .. File.ReadLines(Path.Combine(TestPaths.Repository, "test/Nuncio.EndToEndTests/Conformance/Smuggling", file))
            .Where(static line => line.Length > 0 && line[0] != '#')
            .Select(static line => line.Split('\t'))
            .Select(static fields => new Case(fields[0], fields[1], fields[2], fields[3])),
    ];
}

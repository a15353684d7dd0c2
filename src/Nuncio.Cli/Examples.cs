using System.CommandLine;

namespace Nuncio.Cli;

/// <summary>Descriptions that end in examples, as every command's help does.</summary>
internal static class Examples
{
    public static string With(string description, params string[] examples) =>
        description + Environment.NewLine
            + Environment.NewLine + "Examples:" + Environment.NewLine + string.Join(Environment.NewLine, examples.Select(example => "  " + example));
}

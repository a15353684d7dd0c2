using System.CommandLine;
using System.CommandLine.Parsing;

namespace Nuncio.Cli;

/// <summary>What validators of a command ask of its options.</summary>
internal static class SymbolResultExtensions
{
    /// <summary>The value of an option; its type's default where what was given is no value, which the option says itself.</summary>
    public static T? GetValueIfAny<T>(this SymbolResult result, Option<T> option)
    {
        try
        {
            return result.GetValue(option);
        }
        catch (InvalidOperationException)
        {
            return default;
        }
    }
}

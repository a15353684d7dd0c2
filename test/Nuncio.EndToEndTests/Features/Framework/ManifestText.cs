using System.Text;
using System.Text.RegularExpressions;

namespace Nuncio.EndToEndTests.Features;

/// <summary>
/// Short forms of manifests. <c>Mapping name: { prefix: /a/ }</c> (or with the spec indented below it) is an object of getambassador.io/v3alpha1 in the
/// namespace default; <c>Host other/name {a: b}: ...</c> has another namespace and labels; <c>Secret name: ...</c> is followed by its data. Everything else is
/// YAML as it stands. <c>$(kind:name)</c> is the address of an upstream (see <see cref="Upstreams"/>), <c>$(kind:name.port)</c> its port, and
/// <c>$(port:name)</c> a port of the gateway, <c>$(port)</c> the one that requests go to by default.
/// </summary>
internal static partial class ManifestText
{
    /// <summary>The full YAML, with placeholders replaced by what the function says of them.</summary>
    public static string Expand(string text, Func<string, string> placeholder)
    {
        var yaml = new StringBuilder();
        foreach (var line in Fill(text, placeholder).Split('\n'))
        {
            if (ShortForm().Match(line) is { Success: true } match)
            {
                var space = match.Groups["namespace"].Success ? match.Groups["namespace"].Value : "default";
                var labels = match.Groups["labels"].Success ? $", labels: {match.Groups["labels"].Value}" : "";
                var kind = match.Groups["kind"].Value;
                yaml.Append("---\napiVersion: ").Append(kind == "Secret" ? "v1" : "getambassador.io/v3alpha1").Append("\nkind: ").Append(kind)
                    .Append("\nmetadata: { name: ").Append(match.Groups["name"].Value).Append(", namespace: ").Append(space).Append(labels)
                    .Append(kind == "Secret" ? " }\ndata: " : " }\nspec: ").Append(match.Groups["spec"].Value);
            }
            else if (line.StartsWith("apiVersion:", StringComparison.Ordinal))
            {
                yaml.Append("---\n").Append(line);
            }
            else
            {
                yaml.Append(line);
            }

            yaml.Append('\n');
        }

        return yaml.ToString();
    }

    /// <summary>A text with its placeholders replaced.</summary>
    public static string Fill(string text, Func<string, string> placeholder) => Placeholder().Replace(text, match => placeholder(match.Groups["name"].Value));

    [GeneratedRegex(
        @"^(?<kind>[A-Z]\w+) ((?<namespace>[a-z0-9-]+)/)?(?<name>[a-z0-9.-]+)( (?<labels>\{.*?\}))?:( (?<spec>.*))?$", RegexOptions.ExplicitCapture)]
    private static partial Regex ShortForm();

    [GeneratedRegex(@"\$\((?<name>[a-zA-Z0-9:.@-]+)\)", RegexOptions.ExplicitCapture)]
    private static partial Regex Placeholder();
}

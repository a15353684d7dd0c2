using System.Text;

namespace Nuncio.DataPlane.Telemetry;

/// <summary>The labels of one series, rendered once: <c>a="1",b="2"</c> in the order given (Envoy's order).</summary>
public readonly record struct MetricLabels
{
    private MetricLabels(string text) => Text = text;

    /// <summary>No labels.</summary>
    public static MetricLabels None => new("");

    /// <summary>Rendered, without braces.</summary>
    public string Text { get; }

    /// <summary>One label.</summary>
    public static MetricLabels Of(string name, string value) => None.And(name, value);

    /// <summary>The labels of another set after these.</summary>
    public MetricLabels AndAll(MetricLabels other) => new(Text.Length == 0 ? other.Text : other.Text.Length == 0 ? Text : Text + "," + other.Text);

    /// <summary>One label more.</summary>
    public MetricLabels And(string name, string value)
    {
        var text = new StringBuilder(Text);
        if (text.Length > 0)
        {
            text.Append(',');
        }

        text.Append(name).Append("=\"");
        foreach (var c in value)
        {
            _ = c switch
            {
                '\\' => text.Append("\\\\"),
                '"' => text.Append("\\\""),
                '\n' => text.Append("\\n"),
                _ => text.Append(c),
            };
        }

        return new MetricLabels(text.Append('"').ToString());
    }
}

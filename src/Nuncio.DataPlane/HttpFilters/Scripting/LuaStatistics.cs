using System.Collections.Concurrent;
using System.Globalization;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>What scripts count (stats() of the stream handle): <c>envoy_http_lua_</c> and the name that the script gives.</summary>
/// <param name="metrics">Where it is kept.</param>
internal sealed class LuaStatistics(MetricsRegistry metrics)
{
    /// <summary>A script that makes names of what clients send must not fill the memory.</summary>
    private const int MaxNames = 200;

    private const int MaxNameLength = 128;

    private readonly ConcurrentDictionary<string, string> _names = new(StringComparer.Ordinal);

    /// <summary>Reads or changes one.</summary>
    /// <param name="kind">counter, gauge or histogram.</param>
    /// <param name="name">As the script has it.</param>
    /// <param name="change">value, add or set.</param>
    /// <param name="amount">By or to how much.</param>
    public LuaAnswer Change(string? kind, string name, string? change, string? amount)
    {
        if (name.Length > MaxNameLength || (!_names.TryGetValue(name, out var full) && !TryName(name, out full)))
        {
            return LuaAnswer.Failed("there are too many statistics");
        }

        _ = long.TryParse(amount, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number);
        switch (kind)
        {
            case "counter":
                var counter = metrics.Counter(full, MetricLabels.None);
                // A counter only grows; Envoy would count around its end.
                if (change == "add" && number > 0)
                {
                    counter.Add(number);
                }

                return LuaAnswer.Of(counter.Value);
            case "gauge":
                var gauge = metrics.Gauge(full, MetricLabels.None);
                if (change == "set")
                {
                    gauge.Set(number);
                }
                else if (change == "add")
                {
                    gauge.Add(number);
                }

                return LuaAnswer.Of(gauge.Value);
            default:
                metrics.Histogram(full, MetricLabels.None).Record(number);
                return LuaAnswer.Nil;
        }
    }

    private bool TryName(string name, out string full)
    {
        full = string.Create(name.Length, name, static (room, text) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                room[i] = char.IsAsciiLetterOrDigit(text[i]) ? text[i] : '_';
            }
        });
        full = "envoy_http_lua_" + full;
        if (_names.Count >= MaxNames)
        {
            return false;
        }

        _names.TryAdd(name, full);
        return true;
    }
}

namespace Nuncio.DataPlane.Telemetry;

/// <summary>
/// Responses by class and, where Envoy has it, by code. A code's series appears with its first response, as in Envoy.
/// </summary>
public sealed class ResponseCodeCounters
{
    private readonly MetricsRegistry _registry;
    private readonly string _name;
    private readonly MetricLabels _labels;
    private readonly bool _perCode;
    private readonly MetricCounter?[] _classes = new MetricCounter?[6];
    private readonly MetricCounter?[] _codes;
    private MetricCounter? _completed;
    private volatile bool _isRetired;

    /// <summary>Counters under <c>NAME_xx</c> and, with <paramref name="perCode"/>, <c>NAME</c> and <c>NAME_completed</c>.</summary>
    /// <param name="registry">Where the series live.</param>
    /// <param name="name">For instance <c>envoy_cluster_upstream_rq</c>.</param>
    /// <param name="labels">Labels that follow the one of the code.</param>
    /// <param name="perCode">Count every code by itself too.</param>
    public ResponseCodeCounters(MetricsRegistry registry, string name, MetricLabels labels, bool perCode)
    {
        _registry = registry;
        _name = name;
        _labels = labels;
        _perCode = perCode;
        _codes = perCode ? new MetricCounter?[500] : [];
        if (!perCode)
        {
            // A connection manager shows all classes from the start.
            for (var i = 1; i <= 5; i++)
            {
                _classes[i] = Class(i);
            }
        }
    }

    /// <summary>Counts a response; codes outside 100 to 599 are not counted.</summary>
    public void Count(int status)
    {
        if (status is < 100 or > 599)
        {
            return;
        }

        (_classes[status / 100] ??= Class(status / 100)).Increment();
        if (_perCode)
        {
            (_codes[status - 100] ??= Code(status)).Increment();
            (_completed ??= Make(_name + "_completed", _labels)).Increment();
        }
    }

    /// <summary>No series appears from now on; requests that still run count on for nobody.</summary>
    internal void Retire() => _isRetired = true;

    /// <summary>Lets go of the series that <see cref="Count"/> has made under a name for one of these labels, of codes too.</summary>
    internal static void Forget(MetricsRegistry registry, string name, HashSet<string> labels)
    {
        registry.ForgetBehindFirst(name, labels);
        registry.ForgetBehindFirst(name + "_xx", labels);
    }

    private MetricCounter Class(int @class) => Make(_name + "_xx", Prepended("envoy_response_code_class", @class, _labels));

    private MetricCounter Code(int status) => Make(_name, Prepended("envoy_response_code", status, _labels));

    private MetricCounter Make(string name, MetricLabels labels) => _isRetired ? new MetricCounter() : _registry.Counter(name, labels);

    private static MetricLabels Prepended(string name, int value, MetricLabels labels) =>
        MetricLabels.Of(name, value.ToString(System.Globalization.CultureInfo.InvariantCulture)).AndAll(labels);
}

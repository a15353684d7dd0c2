using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.HttpFilters.Scripting;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.Telemetry;
using LuaV3 = Envoy.Extensions.Filters.Http.Lua.V3;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds the Lua filter. A script that does not load is reported, and requests that would pass it are answered 500.</summary>
internal sealed class LuaBinder(UpstreamCalls calls, MetricsRegistry metrics, ILogger logger) : HttpFilterBinder
{
    // Weakly: a script that left the configuration leaves memory.
    private readonly ConcurrentDictionary<string, WeakReference<LuaMachine[]>> _machines = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override string ConfigType => LuaV3.Lua.Descriptor.FullName;

    /// <inheritdoc/>
    public override string RouteConfigType => LuaV3.LuaPerRoute.Descriptor.FullName;

    /// <inheritdoc/>
    public override HttpFilter? Bind(string name, int index, Any config, string path, BindErrors errors)
    {
        if (Unpack<LuaV3.Lua>(config, path, errors) is not { } message)
        {
            return null;
        }

        SupportedFields.Check(message, path, errors, "inline_code", "source_codes", "default_source_code", "stat_prefix", "clear_route_cache");
        byte[]? script = message.DefaultSourceCode is { } source
            ? ValueBinder.Data(source, BindErrors.Path(path, "default_source_code"), errors) : Encoding.UTF8.GetBytes(message.InlineCode);
        if (script is null)
        {
            return null;
        }

        if (Load(script, path, errors) is not { } machines)
        {
            return new HttpFilters.UnsupportedFilter { Name = name, Index = index };
        }

        var named = new Dictionary<string, LuaMachine[]>(StringComparer.Ordinal);
        foreach (var (key, code) in message.SourceCodes)
        {
            var codePath = BindErrors.Path(path, $"source_codes[{key}]");
            if (ValueBinder.Data(code, codePath, errors) is not { } bytes)
            {
                return null;
            }

            if (Load(bytes, codePath, errors) is not { } loaded)
            {
                return new HttpFilters.UnsupportedFilter { Name = name, Index = index };
            }

            named.Add(key, loaded);
        }

        return new LuaFilter(machines, named.ToFrozenDictionary(StringComparer.Ordinal), calls, metrics, message.ClearRouteCache ?? true, logger)
        {
            Name = name,
            Index = index,
        };
    }

    /// <inheritdoc/>
    public override object? BindRoute(Any config, string path, BindErrors errors)
    {
        if (Unpack<LuaV3.LuaPerRoute>(config, path, errors) is not { } message)
        {
            return null;
        }

        if (message.Disabled)
        {
            return DisabledFilterConfig.Instance;
        }

        LuaMachine[]? own = null;
        if (message.OverrideCase == LuaV3.LuaPerRoute.OverrideOneofCase.SourceCode)
        {
            var codePath = BindErrors.Path(path, "source_code");
            if (ValueBinder.Data(message.SourceCode, codePath, errors) is not { } script)
            {
                return null;
            }

            own = Load(script, codePath, errors);
            if (own is null)
            {
                return null;
            }
        }

        return new LuaRouteConfig(message.Name, own, message.FilterContext);
    }

    private LuaMachine[]? Load(byte[] script, string path, BindErrors errors)
    {
        var machines = Machines(script, out var error);
        if (machines is null)
        {
            errors.AddFailClosed(path, $"The script does not load: {error}. Requests that would pass the filter are answered with 500.");
        }

        return machines;
    }

    // One machine per processor, as Envoy has one per worker: what scripts keep in globals is shared by the requests of a machine.
    private LuaMachine[]? Machines(byte[] script, out string error)
    {
        error = "";
        var key = Encoding.Latin1.GetString(script);
        if (_machines.TryGetValue(key, out var known) && known.TryGetTarget(out var found))
        {
            return found;
        }

        var machines = new LuaMachine[Math.Clamp(Environment.ProcessorCount, 1, 16)];
        for (var i = 0; i < machines.Length; i++)
        {
            if (LuaMachine.TryCreate(script, calls.Timers.Time, out error) is not { } machine)
            {
                return null;
            }

            machines[i] = machine;
        }

        foreach (var (old, weak) in _machines)
        {
            if (!weak.TryGetTarget(out _))
            {
                _machines.TryRemove(KeyValuePair.Create(old, weak));
            }
        }

        _machines[key] = new WeakReference<LuaMachine[]>(machines);
        return machines;
    }
}

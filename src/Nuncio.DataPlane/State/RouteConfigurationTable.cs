using System.Collections.Concurrent;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Model;
using Nuncio.Xds;

namespace Nuncio.DataPlane.State;

/// <summary>All route configurations by name (RDS). One that is refused keeps its last good content.</summary>
public sealed class RouteConfigurationTable
{
    private const string TypeUrl = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";

    private readonly ConcurrentDictionary<string, RouteConfigurationState> _states = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (XdsVersion Version, RouteConfigurationModel Model)> _bound = new(StringComparer.Ordinal);

    /// <summary>The state of a name, empty until there is a configuration of that name.</summary>
    public RouteConfigurationState Find(string name) => _states.GetOrAdd(name, static _ => new RouteConfigurationState());

    /// <summary>Binds what has changed; nothing is in effect before <see cref="Commit"/>. Calls come one at a time.</summary>
    internal IReadOnlyDictionary<string, RouteConfigurationModel> Prepare(
        XdsSnapshot snapshot, Func<RouteV3.RouteConfiguration, string, BindErrors, RouteConfigurationModel?> bind, List<XdsRejection> rejections)
    {
        var models = new Dictionary<string, RouteConfigurationModel>(StringComparer.Ordinal);
        foreach (var (name, resource) in snapshot.RouteConfigurations)
        {
            var isBound = _bound.TryGetValue(name, out var bound);
            if (isBound && bound.Version == resource.Version)
            {
                models[name] = bound.Model;
                continue;
            }

            var errors = new BindErrors();
            var model = bind(resource.Message, "", errors);
            Rejections.Add(rejections, TypeUrl, name, errors);
            if (model is not null && !errors.Any)
            {
                _bound[name] = (resource.Version, model);
                models[name] = model;
            }
            else if (isBound)
            {
                models[name] = bound.Model;
            }
        }

        return models;
    }

    /// <summary>Puts the models into effect. Names that are gone stay until <see cref="Trim"/>.</summary>
    internal void Commit(IReadOnlyDictionary<string, RouteConfigurationModel> models)
    {
        foreach (var (name, model) in models)
        {
            Find(name).Current = model;
        }
    }

    /// <summary>Forgets the names that are gone, once no listener uses them any more.</summary>
    internal void Trim(IReadOnlyDictionary<string, RouteConfigurationModel> models)
    {
        foreach (var (name, state) in _states)
        {
            if (!models.ContainsKey(name))
            {
                state.Current = null;
                _bound.Remove(name);
            }
        }
    }
}

using System.Collections.Frozen;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Nuncio.Xds;

namespace Nuncio.DataPlane.Discovery;

/// <summary>What a control plane told of one type, and what of it is asked for.</summary>
internal abstract class DiscoveredTable(string typeUrl)
{
    private readonly SortedSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>Of requests and responses.</summary>
    public string TypeUrl => typeUrl;

    /// <summary>A response has come, on this stream or one before.</summary>
    public bool IsAnswered { get; private set; }

    /// <summary>What is asked for by name; empty where everything is.</summary>
    public IReadOnlySet<string> Names => _names;

    /// <summary>The versions of what is held, by name.</summary>
    public abstract IEnumerable<KeyValuePair<string, string>> Versions { get; }

    /// <summary>Whether a name that is asked for was answered, be it that there is none.</summary>
    public abstract bool IsKnown(string name);

    /// <summary>Takes a response; a reason when it cannot be read, and then nothing of it is taken.</summary>
    public string? Take(DeltaDiscoveryResponse response)
    {
        IsAnswered = true;
        return TakeResources(response);
    }

    /// <summary>Asks for these names alone from now on; what goes out is what differs. Null where nothing does.</summary>
    public DeltaDiscoveryRequest? Want(IEnumerable<string> names)
    {
        var wanted = new SortedSet<string>(names, StringComparer.Ordinal);
        var request = new DeltaDiscoveryRequest { TypeUrl = typeUrl };
        request.ResourceNamesSubscribe.AddRange(wanted.Except(_names, StringComparer.Ordinal));
        request.ResourceNamesUnsubscribe.AddRange(_names.Except(wanted, StringComparer.Ordinal));
        foreach (var name in request.ResourceNamesUnsubscribe) Forget(name);
        _names.Clear();
        _names.UnionWith(wanted);
        return request.ResourceNamesSubscribe.Count + request.ResourceNamesUnsubscribe.Count > 0 ? request : null;
    }

    protected abstract string? TakeResources(DeltaDiscoveryResponse response);

    /// <summary>A name is not asked for any more.</summary>
    protected abstract void Forget(string name);
}

/// <summary>The same, of one message.</summary>
internal sealed class DiscoveredTable<T>() : DiscoveredTable(XdsTypeRegistry.TypeUrlOf(new T().Descriptor))
    where T : class, IMessage, new()
{
    private readonly Dictionary<string, XdsResource<T>> _resources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _versions = new(StringComparer.Ordinal);
    private readonly HashSet<string> _absent = new(StringComparer.Ordinal);
    private FrozenDictionary<string, XdsResource<T>>? _frozen;

    /// <summary>What is held; the same object until something changes.</summary>
    public FrozenDictionary<string, XdsResource<T>> Resources => _frozen ??= _resources.ToFrozenDictionary(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override IEnumerable<KeyValuePair<string, string>> Versions => _versions;

    /// <inheritdoc/>
    public override bool IsKnown(string name) => _resources.ContainsKey(name) || _absent.Contains(name);

    /// <inheritdoc/>
    protected override string? TakeResources(DeltaDiscoveryResponse response)
    {
        var read = new List<XdsResource<T>>(response.Resources.Count);
        foreach (var resource in response.Resources)
        {
            if (resource.Resource_ is not { } any || any.TypeUrl != TypeUrl) return $"{resource.Name}: not a {TypeUrl}";
            try
            {
                // A version of another kind of control plane is as good as the content's.
                var message = any.Unpack<T>();
                read.Add(XdsVersion.TryParse(resource.Version, out var version)
                    ? new XdsResource<T>(resource.Name, message, version) : XdsResource<T>.Create(resource.Name, message));
            }
            catch (Exception e) when (Binding.AnyReading.IsUnreadable(e))
            {
                return $"{resource.Name}: {e.Message}";
            }
        }

        foreach (var resource in response.Resources) _versions[resource.Name] = resource.Version;
        foreach (var resource in read)
        {
            _resources[resource.Name] = resource;
            _absent.Remove(resource.Name);
        }

        foreach (var name in response.RemovedResources)
        {
            _resources.Remove(name);
            _versions.Remove(name);
            _absent.Add(name);
        }

        if (read.Count + response.RemovedResources.Count > 0) _frozen = null;
        return null;
    }

    /// <inheritdoc/>
    protected override void Forget(string name)
    {
        _absent.Remove(name);
        _versions.Remove(name);
        if (_resources.Remove(name)) _frozen = null;
    }
}

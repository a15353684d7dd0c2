using Nuncio.Grpc;

namespace Nuncio.XdsServer.Subscriptions;

/// <summary>
/// What one client wants of one type, what it has, and so what it has to be sent. Independent of how messages look.
/// At most one batch is under way. A batch that is refused is divided until the resource is found that is at fault: that one is left out until it changes, so
/// that the rest takes effect, and the client keeps what it accepted of it before.
/// </summary>
internal sealed class Subscription(XdsResourceType type, AdsServerOptions options)
{
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HeldResource> _held = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RefusedResource> _refused = new(StringComparer.Ordinal);
    private readonly HashSet<string> _forced = new(StringComparer.Ordinal);
    private readonly Queue<ImmutableArray<string>> _suspects = new();
    private readonly Queue<string> _toRestore = new();
    private bool _isRestoring;
    private RouteSieve? _sieve;
    private (string Name, string Message) _sieveOf;
    private object? _upToDateWith;
    private bool _mustAnswer;

    /// <summary>Of what.</summary>
    public XdsResourceType Type => type;

    /// <summary>Everything is wanted.</summary>
    public bool IsWildcard { get; private set; }

    /// <summary>What is sent and not answered yet.</summary>
    public XdsBatch? UnderWay { get; private set; }

    /// <summary>What the client refuses, by name.</summary>
    public IReadOnlyDictionary<string, RefusedResource> Refused => _refused;

    /// <summary>What the client has, by name.</summary>
    public IReadOnlyDictionary<string, HeldResource> Held => _held;

    /// <summary>How many resources were sent.</summary>
    public long Sent { get; private set; }

    /// <summary>A name is wanted, or covered by the wildcard.</summary>
    public bool Wants(string name) => IsWildcard || _names.Contains(name);

    /// <summary>Everything is wanted from now on, and an answer even where there is nothing.</summary>
    public void SubscribeToAll()
    {
        IsWildcard = true;
        _mustAnswer = true;
        _upToDateWith = null;
    }

    /// <summary>Only what is wanted by name from now on.</summary>
    public void UnsubscribeFromAll()
    {
        IsWildcard = false;
        foreach (var name in _held.Keys.Where(name => !_names.Contains(name)).ToList()) Forget(name);
    }

    /// <summary>The client has this from a stream before.</summary>
    public void Remember(string name, XdsVersion version) => _held[name] = new HeldResource(version, null);

    /// <summary>
    /// A name is wanted. Asked for again it is sent again, since the client may have dropped it (xDS protocol, "subscribing to resources").
    /// </summary>
    /// <param name="name">The name.</param>
    /// <param name="isFirst">In the first request of a stream, where <see cref="Remember"/> says what the client has.</param>
    /// <exception cref="GrpcStatusException">More names than <see cref="AdsServerOptions.MaxNames"/>: a client that was not told would wait for the rest for
    /// ever.</exception>
    public void Subscribe(string name, bool isFirst)
    {
        if (_names.Count >= options.MaxNames && !_names.Contains(name))
        {
            throw new GrpcStatusException(
                GrpcStatusCode.ResourceExhausted,
                string.Create(System.Globalization.CultureInfo.InvariantCulture, $"More than {options.MaxNames} names of {type.TypeUrl} are asked for."));
        }

        _names.Add(name);
        if (!isFirst || !_held.ContainsKey(name))
        {
            _held.Remove(name);
            _refused.Remove(name);
            _forced.Add(name);
        }

        _upToDateWith = null;
    }

    /// <summary>A name is wanted no longer.</summary>
    public void Unsubscribe(string name)
    {
        if (_names.Remove(name) && !IsWildcard) Forget(name);
    }

    /// <summary>Exactly these names are wanted: how the state of the world subscribes.</summary>
    public void SubscribeExactly(IReadOnlyCollection<string> names)
    {
        foreach (var name in _names.Except(names, StringComparer.Ordinal).ToList()) Unsubscribe(name);
        foreach (var name in names)
        {
            if (!_names.Contains(name)) Subscribe(name, isFirst: false);
        }
    }

    /// <summary>Sends a resource again although the client has it: one that waits for it would wait for ever.</summary>
    public void Force(string name)
    {
        if (!Wants(name)) return;
        _forced.Add(name);
        _upToDateWith = null;
    }

    /// <summary>What is to be sent next; null where there is nothing or something is under way.</summary>
    /// <param name="snapshot">What the client should have.</param>
    /// <param name="removals">Also tell of what is gone.</param>
    /// <param name="now">The time.</param>
    public XdsBatch? Next(XdsSnapshot snapshot, bool removals, DateTimeOffset now)
    {
        if (UnderWay is not null) return null;
        if (NextOfSieve(snapshot) is { } offer) return offer;
        if (NextToRestore() is { } restored) return restored;
        while (_suspects.TryDequeue(out var suspects))
        {
            var again = suspects.Where(name => Wants(name) && Differs(type.Find(snapshot, name), name, now)).Select(
                name => new XdsBatchItem(name, type.Find(snapshot, name)));
            if (Begin([.. again]) is { } divided) return divided;
        }

        OfferAgain(now);
        var content = type.Content(snapshot);
        if (!_mustAnswer && ReferenceEquals(content, _upToDateWith)) return null;
        ForgetRefusalsOfOtherVersions(snapshot);
        var items = new List<XdsBatchItem>();
        AddNew(items, snapshot, now);
        var left = AddGone(items, snapshot, removals);
        if (items.Count == 0 && !_mustAnswer)
        {
            if (!left) _upToDateWith = content;
            return null;
        }

        _mustAnswer = false;
        return Take([.. items]);
    }

    /// <summary>Whether anything remains that only waits for its removal.</summary>
    public bool HasGone(XdsSnapshot snapshot) => !ReferenceEquals(type.Content(snapshot), _upToDateWith) && AddGone([], snapshot, removals: false);

    /// <summary>Not all of a batch goes out: the rest is sent later.</summary>
    public XdsBatch Shorten(XdsBatch batch, int count)
    {
        UnderWay = batch with { Items = batch.Items[..count] };
        foreach (var item in batch.Items[count..])
        {
            if (_held.TryGetValue(item.Name, out var held) && held.Version == item.Resource?.Version) _forced.Add(item.Name);
        }

        _upToDateWith = null;
        return UnderWay;
    }

    /// <summary>The client took what is under way.</summary>
    public void Accept()
    {
        if (UnderWay is not { } batch) return;
        UnderWay = null;
        Sent += batch.Items.Length;
        if (_isRestoring)
        {
            _isRestoring = false;
            return;
        }

        if (_sieve is not null)
        {
            _sieve.Accept();
            if (batch.Items is [{ Resource: { } offer } item]) _held[item.Name] = new HeldResource(offer.Version, offer);
            return;
        }

        foreach (var (name, resource) in batch.Items)
        {
            _refused.Remove(name);
            if (!Wants(name)) continue;
            if (resource is not null) _held[name] = new HeldResource(resource.Version, resource);
            else if (IsWildcard && !_names.Contains(name)) _held.Remove(name);
            else _held[name] = HeldResource.Absent;
        }
    }

    /// <summary>The client refused what is under way. True where that was one resource alone, which now is left out.</summary>
    public bool Refuse(string message, DateTimeOffset now)
    {
        if (UnderWay is not { } batch) return false;
        UnderWay = null;
        _upToDateWith = null;
        if (_isRestoring)
        {
            _isRestoring = false;
            return false;
        }

        if (_sieve is not null)
        {
            _sieve.Refuse(message);
            return false;
        }

        if (batch.Items is [{ Resource: { } resource } only])
        {
            // Where virtual hosts go one by one, what is left of a route configuration has no route to look for.
            if (type == XdsResourceType.Routes || type == XdsResourceType.VirtualHosts)
            {
                _sieve = new RouteSieve(resource, _held.GetValueOrDefault(only.Name).Resource);
                _sieveOf = (only.Name, message);
                return false;
            }

            // A port that is taken may be free later; nothing else is better for waiting.
            _refused[only.Name] = new RefusedResource(resource.Version, message, type == XdsResourceType.Listener ? now + options.OfferAgainAfter : null);
            if (type == XdsResourceType.Secret) _toRestore.Enqueue(only.Name);
            return true;
        }

        foreach (var item in batch.Items) _forced.Add(item.Name);
        if (batch.Items.Length < 2) return false;
        var half = batch.Items.Length / 2;
        _suspects.Enqueue([.. batch.Items.Take(half).Select(item => item.Name)]);
        _suspects.Enqueue([.. batch.Items.Skip(half).Select(item => item.Name)]);
        return false;
    }

    /// <summary>When something refused is offered again; null for never.</summary>
    public DateTimeOffset? OffersAgainAt => _refused.Values.Min(refused => refused.Again);

    /// <summary>It is not known yet which routes are at fault.</summary>
    public bool IsSearching => _sieve is not null;

    /// <summary>The resource under this name is what the client has, refuses, or was told that it is not there.</summary>
    public bool IsSettled(string name, IXdsResource resource) =>
        Wants(name) && UnderWay is null && ((_held.TryGetValue(name, out var held) && held.Version == resource.Version) || _refused.ContainsKey(name));

    /// <summary>Looks on for the routes at fault, unless what they are in has changed.</summary>
    private XdsBatch? NextOfSieve(XdsSnapshot snapshot)
    {
        if (_sieve is not { } sieve) return null;
        var (name, message) = _sieveOf;
        if (Wants(name) && type.Find(snapshot, name)?.Version == sieve.Version)
        {
            if (sieve.Next() is { } offer) return Take([new XdsBatchItem(name, offer)]);
            _refused[name] = new RefusedResource(sieve.Version, message, null) { Faults = sieve.IsHopeless ? [] : sieve.Faults };
        }

        _sieve = null;
        return null;
    }

    /// <summary>
    /// Sends once more what the client had of a secret before it refused a newer one. Envoy goes on using it, but keeps the refused one for whatever it builds
    /// next: each listener that changes would be refused too.
    /// </summary>
    private XdsBatch? NextToRestore()
    {
        while (_toRestore.TryDequeue(out var name))
        {
            if (!Wants(name) || !_refused.ContainsKey(name) || _held.GetValueOrDefault(name).Resource is not { } before) continue;
            _isRestoring = true;
            return Take([new XdsBatchItem(name, before)]);
        }

        return null;
    }

    private void OfferAgain(DateTimeOffset now)
    {
        if (_refused.Count == 0) return;
        foreach (var (name, refused) in _refused)
        {
            if (refused.Again is { } again && again <= now)
            {
                // Stays listed, so that the refusal does not look as if it had gone meanwhile.
                _refused[name] = refused with { Again = now + options.OfferAgainAfter };
                _suspects.Enqueue([name]);
                _forced.Add(name);
                _upToDateWith = null;
            }
        }
    }

    private void ForgetRefusalsOfOtherVersions(XdsSnapshot snapshot)
    {
        foreach (var (name, refused) in _refused)
        {
            if (type.Find(snapshot, name)?.Version != refused.Version) _refused.Remove(name);
        }
    }

    private void AddNew(List<XdsBatchItem> items, XdsSnapshot snapshot, DateTimeOffset now)
    {
        if (IsWildcard)
        {
            foreach (var resource in type.All(snapshot))
            {
                if (Differs(resource, resource.Name, now)) items.Add(new XdsBatchItem(resource.Name, resource));
            }

            return;
        }

        foreach (var name in _names)
        {
            if (type.Find(snapshot, name) is { } resource)
            {
                if (Differs(resource, name, now)) items.Add(new XdsBatchItem(name, resource));
            }
            else if (!_held.ContainsKey(name))
            {
                // A name that never was: the client must not wait for it.
                items.Add(new XdsBatchItem(name, null));
            }
        }

        items.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
    }

    private bool AddGone(List<XdsBatchItem> items, XdsSnapshot snapshot, bool removals)
    {
        var any = false;
        foreach (var (name, held) in _held)
        {
            if (held.Version is null || type.Find(snapshot, name) is not null) continue;
            any = true;
            if (removals) items.Add(new XdsBatchItem(name, null));
        }

        return any && !removals;
    }

    private bool Differs(IXdsResource? resource, string name, DateTimeOffset now)
    {
        if (resource is null) return _held.TryGetValue(name, out var had) && had.Version is not null;
        if (_refused.TryGetValue(name, out var refused) && refused.Version == resource.Version && !(_forced.Contains(name) && refused.Again > now))
            return false;
        if (_forced.Contains(name)) return true;
        return !_held.TryGetValue(name, out var held) || held.Version != resource.Version;
    }

    private XdsBatch? Begin(ImmutableArray<XdsBatchItem> items) => items.IsEmpty ? null : Take(items);

    private XdsBatch Take(ImmutableArray<XdsBatchItem> items)
    {
        foreach (var item in items) _forced.Remove(item.Name);
        return UnderWay = new XdsBatch(this, items);
    }

    private void Forget(string name)
    {
        _held.Remove(name);
        _refused.Remove(name);
        _forced.Remove(name);
    }
}

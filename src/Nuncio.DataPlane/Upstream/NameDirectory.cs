using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Time;
using LookupFamily = Envoy.Config.Cluster.V3.Cluster.Types.DnsLookupFamily;

namespace Nuncio.DataPlane.Upstream;

/// <summary>
/// The names that clusters ask for, each resolved once for all clusters that want it, again and again off the request path. A failure keeps the last
/// good answer, as Envoy's STRICT_DNS does.
/// </summary>
public sealed class NameDirectory : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Name, LookupFamily Family), NameWatch> _watches = [];
    private readonly SemaphoreSlim _slots = new(16);
    private readonly TimerService _timers;
    private readonly NameResolver _resolver;

    /// <summary>A directory without names.</summary>
    public NameDirectory(TimerService timers, NameResolver resolver)
    {
        _timers = timers;
        _resolver = resolver;
    }

    /// <summary>Begins or shares the resolution of a name. Each subscription is to be disposed.</summary>
    /// <param name="name">The name.</param>
    /// <param name="dns">How; of clusters that share a name the shortest refresh rate counts.</param>
    /// <param name="needsAddress">An answer without addresses is a failure, as for LOGICAL_DNS.</param>
    /// <param name="onAnswer">Called after each answer, and at once where there is one already; on any thread.</param>
    internal NameSubscription Subscribe(string name, DnsModel dns, bool needsAddress, Action<ResolvedName> onAnswer)
    {
        var subscription = new NameSubscription(this, name, dns, needsAddress, onAnswer);
        ResolvedName? known;
        lock (_gate)
        {
            var key = (name.ToLowerInvariant(), dns.Family);
            if (!_watches.TryGetValue(key, out var watch))
            {
                watch = new NameWatch(this, key.Item1, dns.Family);
                _watches.Add(key, watch);
            }

            subscription.Watch = watch;
            watch.Subscriptions.Add(subscription);
            known = watch.Last;
            if (watch.Subscriptions.Count == 1)
            {
                _ = ResolveAsync(watch);
            }
        }

        if (known is { } answer)
        {
            onAnswer(answer);
        }

        return subscription;
    }

    /// <inheritdoc/>
    public void Dispose() => _slots.Dispose();

    internal void Unsubscribe(NameSubscription subscription)
    {
        lock (_gate)
        {
            var watch = subscription.Watch;
            watch.Subscriptions.Remove(subscription);
            if (watch.Subscriptions.Count == 0)
            {
                watch.Timer.Cancel();
                _watches.Remove((watch.Name, watch.Family));
            }
        }
    }

    private async Task ResolveAsync(NameWatch watch)
    {
        // The caller holds the lock: the resolver may do its work before it first yields.
        await Task.Yield();
        await _slots.WaitAsync();
        ResolvedName answer;
        try
        {
            answer = await LookUpAsync(watch.Name, watch.Family, watch.WantsTimeToLive);
        }
        finally
        {
            _slots.Release();
        }

        NameSubscription[] subscriptions;
        lock (_gate)
        {
            watch.Failures = answer.Addresses == null ? watch.Failures + 1 : 0;
            watch.Misses = answer.Addresses is not { Length: > 0 } ? watch.Misses + 1 : 0;
            if (answer.Addresses != null || watch.Last == null)
            {
                watch.Last = answer;
            }

            subscriptions = [.. watch.Subscriptions];
            if (subscriptions.Length > 0)
            {
                watch.Timer.Start(watch.NextDelay());
            }
        }

        foreach (var subscription in subscriptions)
        {
            subscription.OnAnswer(answer);
        }
    }

    // AUTO and V4_PREFERRED fall back to the other family where the preferred one has no address.
    private async ValueTask<ResolvedName> LookUpAsync(string name, LookupFamily family, bool wantsTimeToLive)
    {
        var asked = family switch
        {
            LookupFamily.V4Only => AddressFamily.InterNetwork,
            LookupFamily.V6Only => AddressFamily.InterNetworkV6,
            _ => AddressFamily.Unspecified,
        };
        var found = wantsTimeToLive
            ? await _resolver.ResolveWithTimeToLiveAsync(name, asked, CancellationToken.None)
            : new ResolvedName(await _resolver.ResolveAsync(name, asked, CancellationToken.None), null);
        if (found.Addresses is not { } all || asked != AddressFamily.Unspecified || family == LookupFamily.All)
        {
            return found;
        }

        var preferred = family == LookupFamily.V4Preferred ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        var chosen = Array.FindAll(all, a => a.AddressFamily == preferred);
        return found with { Addresses = chosen.Length > 0 ? chosen : all };
    }

    internal sealed class NameWatch
    {
        private readonly NameDirectory _directory;

        public NameWatch(NameDirectory directory, string name, LookupFamily family)
        {
            _directory = directory;
            Name = name;
            Family = family;
            Timer = directory._timers.Create(OnDue);
        }

        public string Name { get; }

        public LookupFamily Family { get; }

        public List<NameSubscription> Subscriptions { get; } = [];

        public CallbackTimer Timer { get; }

        public ResolvedName? Last { get; set; }

        public int Failures { get; set; }

        /// <summary>Failures and answers without addresses.</summary>
        public int Misses { get; set; }

        public bool WantsTimeToLive => Subscriptions.Exists(static subscription => subscription.Dns.RespectTtl);

        public TimeSpan NextDelay()
        {
            var delay = TimeSpan.MaxValue;
            foreach (var subscription in Subscriptions)
            {
                // As in Envoy a time to live of 0 is none.
                var failures = subscription.NeedsAddress ? Misses : Failures;
                var wanted = subscription.Dns.RespectTtl && failures == 0 && Last?.TimeToLive is { Ticks: > 0 } timeToLive
                    ? timeToLive : subscription.Dns.RefreshRate;
                if (failures > 0 && subscription.Dns.FailureRefreshRate is { } rate)
                {
                    var grown = rate.Base * Math.Pow(2, Math.Min(failures - 1, 20));
                    wanted = (grown < rate.Max ? grown : rate.Max) * (0.5 + (Random.Shared.NextDouble() / 2));
                }

                delay = wanted < delay ? wanted : delay;
            }

            return delay;
        }

        private void OnDue()
        {
            if (Subscriptions.Count > 0)
            {
                _ = _directory.ResolveAsync(this);
            }
        }
    }
}

/// <summary>A cluster's interest in a name.</summary>
internal sealed class NameSubscription(NameDirectory directory, string name, DnsModel dns, bool needsAddress, Action<ResolvedName> onAnswer) : IDisposable
{
    private int _disposed;

    public string Name { get; } = name;

    public DnsModel Dns { get; } = dns;

    public bool NeedsAddress { get; } = needsAddress;

    public NameDirectory.NameWatch Watch { get; set; } = null!;

    public void OnAnswer(ResolvedName answer)
    {
        if (Volatile.Read(ref _disposed) == 0)
        {
            onAnswer(answer);
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            directory.Unsubscribe(this);
        }
    }
}

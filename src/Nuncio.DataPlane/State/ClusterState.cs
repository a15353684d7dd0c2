using System.Net;
using Nuncio.DataPlane.Health;
using Nuncio.DataPlane.LoadBalancing;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Upstream;

namespace Nuncio.DataPlane.State;

/// <summary>
/// A cluster at run time: its endpoints with their connections, load and health. Lives through every configuration in which its message stays the same
/// but for the endpoints; the endpoints that stay keep everything.
/// </summary>
public sealed class ClusterState
{
    private readonly Lock _gate = new();
    private readonly ResourceState[] _resources;
    private readonly CircuitBreakerMetrics[] _breakers;
    private readonly RoundRobinCursor _cursor = new();
    private readonly Dictionary<EndpointKey, EndpointState> _known = [];
    private readonly List<NameSubscription> _names = [];
    private readonly Dictionary<string, IPAddress[]> _resolved = new(StringComparer.OrdinalIgnoreCase);
    private readonly TaskCompletionSource _warm = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HealthChecker? _checker;
    private readonly OutlierDetector? _outlier;
    private readonly SlowStart? _slowStart;
    private readonly CallbackTimer? _slowStartEnd;
    private AssignmentModel _assignment = AssignmentModel.Empty;
    private EndpointSet _endpoints;
    private bool _isUsed;
    private int _answersMissing;
    private bool _retired;

    /// <summary>A cluster without endpoints; <see cref="Assign"/> gives it some.</summary>
    public ClusterState(ClusterModel model, UpstreamEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(environment);
        Model = model;
        Environment = environment;
        Metrics = new ClusterMetrics(environment.Metrics, model.StatName);
        _resources = [new ResourceState(model.CircuitBreakers[0]), new ResourceState(model.CircuitBreakers[1])];
        _breakers = [new(environment.Metrics, model.StatName, "default"), new(environment.Metrics, model.StatName, "high")];
        if (model.LoadBalancing.SlowStart is { } slowStart)
        {
            _slowStart = new SlowStart(slowStart, environment.Timers);
            _slowStartEnd = environment.Timers.Create(OnHealthChanged);
        }

        _endpoints = EndpointSet.Build([], model.LoadBalancing, 140, _cursor);
        _checker = model.HealthChecks.Count > 0 ? new HealthChecker(this) : null;
        _outlier = model.OutlierDetection is { } outlier ? new OutlierDetector(this, outlier) : null;
    }

    /// <summary>The message's meaning.</summary>
    public ClusterModel Model { get; private set; }

    /// <summary>Its statistics.</summary>
    public ClusterMetrics Metrics { get; }

    /// <summary>The endpoints now.</summary>
    public IReadOnlyList<EndpointState> Endpoints => Volatile.Read(ref _endpoints).All;

    /// <summary>The endpoints are known: every name has been answered or has failed once. A request to a cluster that is not warm waits.</summary>
    public bool IsWarm => _warm.Task.IsCompleted;

    /// <summary>Completes with <see cref="IsWarm"/>.</summary>
    public Task Warm => _warm.Task;

    internal UpstreamEnvironment Environment { get; }

    internal OutlierDetector? Outlier => _outlier;

    /// <summary>
    /// A request has ever been given an endpoint of it: from then on health checks come at their standard interval (no_traffic_interval of HealthCheck).
    /// </summary>
    internal bool IsUsed => Volatile.Read(ref _isUsed);

    /// <summary>What is spoken for a request that came with <paramref name="downstream"/>.</summary>
    internal UpstreamCodec CodecFor(Http.HttpProtocolVersion downstream) => Model.Protocol switch
    {
        UpstreamProtocol.Http2 => UpstreamCodec.Http2,
        UpstreamProtocol.Downstream when downstream >= Http.HttpProtocolVersion.Http2 => UpstreamCodec.Http2,
        _ => UpstreamCodec.Http1,
    };

    /// <summary>Sets the statistics that are looked up rather than counted.</summary>
    internal void UpdateMetrics()
    {
        _breakers[0].Update(_resources[0]);
        _breakers[1].Update(_resources[1]);
    }

    internal ResourceState Resources(int priority) => _resources[priority];

    /// <summary>Chooses an endpoint; null where none is usable.</summary>
    internal EndpointState? Choose(ulong hash, bool hasHash, int attempt)
    {
        var endpoint = Volatile.Read(ref _endpoints).Choose(hash, hasHash, attempt, out var panicked);
        if (_checker != null && endpoint != null && !Volatile.Read(ref _isUsed))
        {
            Volatile.Write(ref _isUsed, true);
        }

        if (panicked)
        {
            Metrics.LbHealthyPanic.Increment();
        }

        return endpoint;
    }

    /// <summary>The endpoint at an address; null where there is none, or it is unhealthy.</summary>
    internal EndpointState? FindUsable(IPEndPoint address)
    {
        foreach (var endpoint in Volatile.Read(ref _endpoints).All)
        {
            if (endpoint.Health != EndpointHealth.Unhealthy && endpoint.Address.Equals(address))
            {
                return endpoint;
            }
        }

        return null;
    }

    /// <summary>An endpoint has answered a request: what that says of its health.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="status">The answer's.</param>
    /// <param name="headers">The answer's.</param>
    /// <param name="isGrpc">It is an answer to a gRPC request: a grpc-status among the headers is what counts.</param>
    internal void OnAnswered(EndpointState endpoint, int status, Http.HeaderMap headers, bool isGrpc = false)
    {
        _outlier?.OnResponse(endpoint, isGrpc && headers.TryGet(Http.KnownHeader.GrpcStatus, out var grpcStatus) ? OfGrpc(grpcStatus) : status);
        if (_checker != null && headers.TryGet("x-envoy-immediate-health-check-fail"u8, out _))
        {
            _checker.FailPassively(endpoint);
        }
    }

    /// <summary>Takes over a message that differs in its endpoints only.</summary>
    internal void Adopt(ClusterModel model) => Model = model;

    /// <summary>These are the endpoints now. Those that stay keep their connections and health; names are resolved.</summary>
    internal void Assign(AssignmentModel assignment)
    {
        List<NameSubscription> superfluous;
        List<string> wanted = [];
        lock (_gate)
        {
            if (_retired || ReferenceEquals(assignment, _assignment))
            {
                if (assignment.Localities.Count == 0)
                {
                    _warm.TrySetResult();
                }

                return;
            }

            _assignment = assignment;
            var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            foreach (var locality in assignment.Localities)
            {
                foreach (var endpoint in locality.Endpoints)
                {
                    if (endpoint.Address == null)
                    {
                        names.Add(endpoint.Host);
                    }
                }
            }

            superfluous = _names.FindAll(n => !names.Contains(n.Name));
            _names.RemoveAll(superfluous.Contains);
            foreach (var name in superfluous)
            {
                _resolved.Remove(name.Name);
            }

            foreach (var name in names)
            {
                if (!_names.Exists(n => string.Equals(n.Name, name, StringComparison.OrdinalIgnoreCase)))
                {
                    wanted.Add(name);
                    if (!_resolved.ContainsKey(name))
                    {
                        _answersMissing++;
                    }
                }
            }

            Rebuild();
        }

        foreach (var subscription in superfluous)
        {
            subscription.Dispose();
        }

        foreach (var name in wanted)
        {
            Metrics.UpdateAttempt.Increment();
            var first = true;
            var subscription = Environment.Names.Subscribe(name, Model.Dns, Model.Discovery == ClusterDiscovery.LogicalDns, answer =>
            {
                OnAnswer(name, answer, first);
                first = false;
            });
            lock (_gate)
            {
                _names.Add(subscription);
                if (_retired)
                {
                    subscription.Dispose();
                }
            }
        }
    }

    /// <summary>The cluster has left the configuration: what is under way goes on, nothing else is kept.</summary>
    internal void Retire()
    {
        EndpointState[] endpoints;
        lock (_gate)
        {
            _retired = true;
            foreach (var name in _names)
            {
                name.Dispose();
            }

            _names.Clear();
            endpoints = [.. _known.Values];
        }

        _checker?.Dispose();
        _outlier?.Dispose();
        _slowStartEnd?.Cancel();
        _warm.TrySetResult();
        foreach (var endpoint in endpoints)
        {
            _outlier?.Remove(endpoint);
            endpoint.Drain();
        }
    }

    /// <summary>An endpoint's health has changed.</summary>
    internal void OnHealthChanged()
    {
        lock (_gate)
        {
            var current = _endpoints;
            Publish(current.Groups);
        }
    }

    // The class of status that Envoy's mapping gives: UNKNOWN, INTERNAL, DATA_LOSS and what is none are 500, and so on.
    private static int OfGrpc(ReadOnlySpan<byte> status) =>
        System.Buffers.Text.Utf8Parser.TryParse(status, out uint code, out var length) && length == status.Length
        ? code switch
        {
            0 => 200,
            1 or 3 or 5 or 6 or 7 or 8 or 9 or 10 or 11 or 16 => 400,
            4 => 504,
            12 => 501,
            14 => 503,
            _ => 500,
        }
        : 500;

    internal void OnFirstChecksDone() => _warm.TrySetResult();

    /// <summary>
    /// Waits until it is warm, for the connect timeout at most: a name that does not resolve, or an endpoint that does not answer its first check, must not hold
    /// requests for longer than an endpoint that does not answer them. What has no endpoints then says so.
    /// </summary>
    internal async ValueTask WarmAsync()
    {
        try
        {
            await Warm.WaitAsync(Model.Connect.ConnectTimeout, Environment.Timers.Time);
        }
        catch (TimeoutException)
        {
        }
    }

    private void OnAnswer(string name, ResolvedName answer, bool first)
    {
        if (!first)
        {
            Metrics.UpdateAttempt.Increment();
        }

        lock (_gate)
        {
            if (first)
            {
                _answersMissing--;
            }

            // LOGICAL_DNS keeps its address over an empty answer, which is a failure; STRICT_DNS has no endpoints then.
            if (answer.Addresses == null || (answer.Addresses.Length == 0 && Model.Discovery == ClusterDiscovery.LogicalDns))
            {
                Metrics.UpdateFailure.Increment();
            }
            else
            {
                Metrics.UpdateSuccess.Increment();
                if (_resolved.TryGetValue(name, out var before) && before.AsSpan().SequenceEqual(answer.Addresses))
                {
                    Metrics.UpdateNoRebuild.Increment();
                }
                else
                {
                    _resolved[name] = answer.Addresses;
                    Rebuild();
                }
            }

            BecomeWarm();
        }
    }

    private void BecomeWarm()
    {
        if (_answersMissing <= 0 && _checker is not { IsPending: true })
        {
            _warm.TrySetResult();
        }
    }

    private void Rebuild()
    {
        var kept = new HashSet<EndpointKey>();
        var groups = new List<EndpointGroup>(_assignment.Localities.Count);
        var added = new List<EndpointState>();
        foreach (var locality in _assignment.Localities)
        {
            var members = new List<EndpointState>(locality.Endpoints.Count);
            foreach (var model in locality.Endpoints)
            {
                var addresses = model.Address != null ? [model.Address] : _resolved.GetValueOrDefault(model.Host, []);
                foreach (var address in addresses)
                {
                    // A LOGICAL_DNS endpoint is the same one wherever its name leads.
                    var point = new IPEndPoint(address, model.Port);
                    var key = Model.Discovery == ClusterDiscovery.LogicalDns
                        ? new EndpointKey(null, model.Host, model.Port, locality.Priority)
                        : new EndpointKey(point, model.Hostname, model.Port, locality.Priority);
                    if (kept.Add(key))
                    {
                        members.Add(Endpoint(key, point, model, added));
                    }

                    if (Model.Discovery == ClusterDiscovery.LogicalDns)
                    {
                        members[^1].OtherAddresses = [.. addresses.Skip(1).Select(other => new IPEndPoint(other, model.Port))];
                        break;
                    }
                }
            }

            groups.Add(new EndpointGroup(locality.Priority, locality.Weight, [.. members]));
        }

        var gone = new List<EndpointState>();
        foreach (var (key, endpoint) in _known)
        {
            if (!kept.Contains(key))
            {
                gone.Add(endpoint);
                _known.Remove(key);
            }
        }

        if (gone.Count + added.Count > 0)
        {
            Metrics.MembershipChange.Increment();
        }

        Publish([.. groups]);
        foreach (var endpoint in gone)
        {
            _checker?.Remove(endpoint);
            _outlier?.Remove(endpoint);
            endpoint.Drain();
        }

        _checker?.Add(added);

        if (Model.LoadBalancing.CloseConnectionsOnHostSetChange && gone.Count + added.Count > 0)
        {
            foreach (var endpoint in _known.Values)
            {
                endpoint.DrainConnections();
            }
        }

        BecomeWarm();
    }

    private EndpointState Endpoint(EndpointKey key, IPEndPoint point, EndpointModel model, List<EndpointState> added)
    {
        if (_known.TryGetValue(key, out var endpoint))
        {
            endpoint.Update(model);
            if (!endpoint.Address.Equals(point))
            {
                endpoint.MoveTo(point);
            }

            return endpoint;
        }

        var flags = EndpointState.IsFailed(model.Health) ? EndpointHealthFlags.FailedEds
            : model.Health == CoreV3.HealthStatus.Degraded ? EndpointHealthFlags.DegradedEds
            : EndpointHealthFlags.None;
        if (_checker != null && !model.DisableActiveHealthCheck)
        {
            flags |= EndpointHealthFlags.FailedActiveCheck;
        }

        endpoint = new EndpointState(this, point, model, flags);
        _known.Add(key, endpoint);
        added.Add(endpoint);
        return endpoint;
    }

    private void Publish(EndpointGroup[] groups)
    {
        var set = EndpointSet.Build(groups, Model.LoadBalancing, _assignment.OverprovisioningFactor, _cursor, _slowStart);
        if (set.SlowStartLeft > 0 && !_retired)
        {
            // Then equal weights need no schedule any more.
            _slowStartEnd!.Start(TimeSpan.FromMilliseconds(set.SlowStartLeft + 1));
        }

        Volatile.Write(ref _endpoints, set);
        Metrics.MembershipTotal.Set(set.All.Length);
        Metrics.MembershipHealthy.Set(set.HealthyCount);
        Metrics.MembershipDegraded.Set(set.DegradedCount);
        Metrics.MembershipExcluded.Set(set.ExcludedCount);
    }

    private readonly record struct EndpointKey(IPEndPoint? Address, string Name, ushort Port, uint Priority);
}

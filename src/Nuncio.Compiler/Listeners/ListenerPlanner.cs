using System.Globalization;
using System.Net;
using Nuncio.Resources.Collections;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Compiler.Listeners;

/// <summary>Listeners to plans: protocol stacks, bindings, conflicts (SPEC 4.4, 5.1).</summary>
internal sealed class ListenerPlanner(CompilerOptions options, FindingSink findings)
{
    private readonly List<ListenerPlan> _plans = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<(bool IsUdp, string Address, int Port), ListenerPlan> _bindings = [];
    private readonly List<ListenerPlan> _unavailable = [];

    /// <summary>HTTP/3 Listeners that what takes traffic cannot open.</summary>
    public IReadOnlyList<ListenerPlan> Unavailable => _unavailable;

    /// <summary>Plans all, in order of name.</summary>
    /// <param name="listeners">The snapshot's.</param>
    /// <param name="anyInvalid">Whether there are Listeners that broke their schema: then none is assumed.</param>
    /// <param name="tcp">What TCPMappings want opened: address, port, with TLS or not, and the first that wants it.</param>
    public ImmutableArray<ListenerPlan> Plan(
        IEnumerable<ListenerResource> listeners,
        bool anyInvalid,
        IEnumerable<(string Address, int Port, bool Tls, TcpMappingResource Origin)> tcp)
    {
        var any = anyInvalid;
        foreach (var listener in StoredNames.InOrder(listeners))
        {
            any = true;
            if (Plan(listener) is { } plan) Add(plan);
        }
        if (!any && options.AssumeListeners) AddAssumed();
        foreach (var (address, port, tls, origin) in tcp)
        {
            if (!_bindings.ContainsKey((false, address, port))) AddForTcp(address, port, tls, origin);
        }
        for (var i = 0; i < _plans.Count; i++)
        {
            var plan = _plans[i];
            if (!plan.IsUdp && plan.HasHttp && options.ServesHttp3 && _bindings.ContainsKey((true, plan.Address, plan.Port)))
                _plans[i] = plan with { AnnouncesHttp3 = true };
        }
        return [.. _plans];
    }

    private void Add(ListenerPlan plan)
    {
        if (!_bindings.TryAdd((plan.IsUdp, plan.Address, plan.Port), plan))
        {
            var other = _bindings[(plan.IsUdp, plan.Address, plan.Port)];
            findings.Error(
                plan.Resource,
                FindingCodes.ListenerBindingConflict,
                "spec.port",
                string.Create(CultureInfo.InvariantCulture, $"Listener '{other.Name}' already has {plan.Address}:{plan.Port}; this one is not opened"));
            return;
        }
        _names.Add(plan.Name);
        if (!plan.IsUdp || options.ServesHttp3)
        {
            _plans.Add(plan);
            return;
        }
        _unavailable.Add(plan);
        findings.Warning(
            plan.Resource,
            FindingCodes.Http3Unavailable,
            "spec.protocolStack",
            "HTTP/3 needs QUIC, and there is no libmsquic on this machine, so the Listener is neither opened nor announced; other Listeners are served. "
                + "Install libmsquic 2 from Microsoft's package repository (packages.microsoft.com) and start again, or use --data-plane envoy");
    }

    private ListenerPlan? Plan(ListenerResource listener)
    {
        var spec = listener.Spec;
        if (PlanStack(listener) is not { } stack) return null;
        var udp = stack[^1] == ProtocolLayer.Udp;
        bool http = stack.Contains(ProtocolLayer.Http), tls = stack.Contains(ProtocolLayer.Tls);
        if (!TryPlanBinding(listener, out var hostNamespace, out var selector)) return null;
        var address = spec.BindAddress is { Length: > 0 } own ? own : options.BindAddress;
        if (!IPAddress.TryParse(address, out _))
        {
            findings.Error(listener, FindingCodes.ListenerAddressInvalid, "spec.bind_address", $"'{address}' is not an IP address");
            return null;
        }
        var port = spec.Port;
        if (port is < 1 or > 65535)
        {
            findings.Error(listener, FindingCodes.InvalidFieldValue, "spec.port", "a port is between 1 and 65535");
            return null;
        }
        return new ListenerPlan
        {
            Resource = listener,
            Origin = listener,
            Name = StoredNames.Free(listener, _names.Contains),
            Address = address,
            Port = port,
            IsUdp = udp,
            HasHttp = http,
            HasTls = tls,
            HasProxyProtocol = stack.Contains(ProtocolLayer.Proxy),
            SecurityModel = spec.SecurityModel,
            HostNamespace = hostNamespace,
            HostSelector = selector,
            TrustedHops = Math.Max(0, spec.L7Depth ?? 0),
            StatPrefix = spec.StatsPrefix is { Length: > 0 } prefix ? prefix : StatPrefix(http, tls, udp, port),
            Http2MaxConcurrentStreams = Http2Streams(listener),
        };
    }

    /// <summary>Envoy takes 1 to 2^31 - 1 (RFC 9113, 6.5.2).</summary>
    private uint? Http2Streams(ListenerResource listener)
    {
        if (listener.Spec.Http2MaxConcurrentStreams is not { } streams) return null;
        if (streams is >= 1 and <= int.MaxValue) return (uint)streams;
        findings.Error(listener, FindingCodes.InvalidFieldValue, "spec.http2MaxConcurrentStreams", "must be between 1 and 2147483647; the default is used");
        return null;
    }

    private ImmutableArray<ProtocolLayer>? PlanStack(ListenerResource listener)
    {
        var spec = listener.Spec;
        if (spec.ProtocolStack is { Count: > 0 } explicitStack)
        {
            if (spec.Protocol is not null)
            {
                findings.Warning(listener, FindingCodes.ListenerProtocolConflict, "spec.protocol", "protocol has no effect beside protocolStack");
            }
            var stack = explicitStack.AsArray();
            if (stack[^1] is not (ProtocolLayer.Tcp or ProtocolLayer.Udp))
            {
                findings.Error(
                    listener, FindingCodes.ListenerProtocolInvalid, "spec.protocolStack", "the last protocol must be TCP or UDP; the Listener is not opened");
                return null;
            }
            if (stack[^1] == ProtocolLayer.Udp && !(stack.Contains(ProtocolLayer.Http) && stack.Contains(ProtocolLayer.Tls)))
            {
                findings.Error(
                    listener,
                    FindingCodes.ListenerProtocolInvalid,
                    "spec.protocolStack",
                    "UDP is supported for HTTP/3 only, whose stack is TLS, HTTP, UDP; the Listener is not opened");
                return null;
            }
            return stack;
        }
        if (spec.Protocol is not { } protocol)
        {
            findings.Error(listener, FindingCodes.ListenerProtocolInvalid, "spec", "one of protocol and protocolStack must be set; the Listener is not opened");
            return null;
        }
        if (Stack(protocol) is { } known) return known;
        findings.Error(
            listener, FindingCodes.ListenerProtocolInvalid, "spec.protocol", "UDP is no protocol by itself; the Listener is not opened",
            "protocolStack: [TLS, HTTP, UDP]");
        return null;
    }

    private static ImmutableArray<ProtocolLayer>? Stack(ListenerProtocol protocol) => protocol switch
    {
        ListenerProtocol.Http => [ProtocolLayer.Http, ProtocolLayer.Tcp],
        ListenerProtocol.Https => [ProtocolLayer.Tls, ProtocolLayer.Http, ProtocolLayer.Tcp],
        ListenerProtocol.HttpProxy => [ProtocolLayer.Proxy, ProtocolLayer.Http, ProtocolLayer.Tcp],
        ListenerProtocol.HttpsProxy => [ProtocolLayer.Tls, ProtocolLayer.Proxy, ProtocolLayer.Http, ProtocolLayer.Tcp],
        ListenerProtocol.Tcp => [ProtocolLayer.Tcp],
        ListenerProtocol.Tls => [ProtocolLayer.Tls, ProtocolLayer.Tcp],
        _ => null,
    };

    private bool TryPlanBinding(ListenerResource listener, out string? hostNamespace, out ValueMap<string> selector)
    {
        var binding = listener.Spec.HostBinding;
        hostNamespace = listener.Namespace;
        selector = ValueMap<string>.Empty;
        if (binding.NamespaceFrom is null && binding.Selector is null)
        {
            findings.Error(
                listener, FindingCodes.ListenerBindingMissing, "spec.hostBinding", "one of namespace and selector must be set; the Listener is not opened");
            return false;
        }
        if (binding.NamespaceFrom == NamespaceSelection.All) hostNamespace = null;
        else if (binding.NamespaceFrom == NamespaceSelection.Selector)
        {
            findings.Error(
                listener,
                FindingCodes.ListenerNamespaceSelector,
                "spec.hostBinding.namespace.from",
                "selecting namespaces by label is not supported; Hosts of the Listener's own namespace are taken");
        }
        if (binding.Selector is { } hosts)
        {
            if (hosts.MatchLabels is null)
            {
                findings.Error(
                    listener,
                    FindingCodes.SelectorExpressionsIgnored,
                    "spec.hostBinding.selector",
                    "only matchLabels selects; the Listener is not opened, since it would take every Host");
                return false;
            }
            selector = hosts.MatchLabels;
        }
        return true;
    }

    private static string StatPrefix(bool http, bool tls, bool udp, int port) =>
        http ? tls ? "ingress_https" : "ingress_http"
        : tls ? string.Create(CultureInfo.InvariantCulture, $"ingress_tls_{port}")
        : string.Create(CultureInfo.InvariantCulture, $"ingress_{(udp ? "udp" : "tcp")}_{port}");

    /// <summary>What the chart's <c>createDefaultListeners</c> makes.</summary>
    private void AddAssumed()
    {
        findings.Notice(null, FindingCodes.DefaultListenersAssumed, "", "there is no Listener: 8080 (HTTP) and 8443 (HTTPS) are opened for all Hosts");
        foreach (var (name, port, tls) in new[] { ("default-http", 8080, false), ("default-https", 8443, true) })
        {
            Add(new ListenerPlan
            {
                Resource = null,
                Name = name,
                Address = options.BindAddress,
                Port = port,
                HasHttp = true,
                HasTls = tls,
                SecurityModel = SecurityModel.Xfp,
                StatPrefix = StatPrefix(http: true, tls, udp: false, port),
            });
        }
    }

    private void AddForTcp(string address, int port, bool tls, TcpMappingResource origin) => Add(new ListenerPlan
    {
        Resource = null,
        Origin = origin,
        Name = string.Create(CultureInfo.InvariantCulture, $"listener-{address}-{port}"),
        Address = address,
        Port = port,
        HasTls = tls,
        SecurityModel = SecurityModel.Secure,
        HostNamespace = options.Namespace,
        StatPrefix = StatPrefix(http: false, tls, udp: false, port),
    });
}

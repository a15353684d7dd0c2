using Nuncio.Compiler.Naming;
using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Resolving;

/// <summary>
/// Where a cluster's connections go, found in this order: <c>--resolve</c>, the endpoints of its Service in the input, DNS. A value: while it is equal the
/// cluster's message stays.
/// </summary>
/// <param name="Address">The host name or IP address; empty with endpoints, and where there is nowhere to go.</param>
/// <param name="Port">The port.</param>
/// <param name="HostName">What <c>auto_host_rewrite</c> puts into the request where the address is another: null when it is the same.</param>
/// <param name="EndpointsName">The EDS resource; null when the address is in the cluster.</param>
/// <param name="ServiceNamespace">The Service of the EDS resource.</param>
/// <param name="ServiceName">The Service of the EDS resource.</param>
internal sealed record UpstreamTarget(string Address, int Port, string? HostName, string? EndpointsName, string ServiceNamespace, string ServiceName)
{
    public static UpstreamTarget Nowhere { get; } = new("", 0, null, null, "", "");

    public static UpstreamTarget Of(ClusterPlan plan, CompilerOptions options, EndpointIndex index)
    {
        var upstream = plan.Upstream;
        if (upstream.Discovery == UpstreamDiscovery.None || plan.TlsMissing)
            return Nowhere;
        if (AddressOverride.Find(options.Resolve, upstream.Host, upstream.Port) is { } given)
            return new UpstreamTarget(given.Address, given.AddressPort, null, null, "", "");
        if (upstream.Discovery == UpstreamDiscovery.Endpoints)
        {
            var (@namespace, service) = (upstream.ServiceNamespace!, upstream.ServiceName!);
            return new UpstreamTarget("", upstream.Port, null, XdsNames.ServiceEndpoints(@namespace, service, upstream.Port), @namespace, service);
        }

        if (options.ServicesByEndpoints && index.Find(upstream.Host, options.Namespace) is { } found)
        {
            if (found.ExternalName is { Length: > 0 } external)
                return new UpstreamTarget(external, upstream.Port, upstream.Host, null, "", "");
            if (index.HasEndpoints(found.Namespace, found.Name))
            {
                return new UpstreamTarget(
                    "", upstream.Port, upstream.Host, XdsNames.NamedEndpoints(upstream.Host, upstream.Port), found.Namespace, found.Name);
            }
        }

        return new UpstreamTarget(upstream.Host, upstream.Port, null, null, "", "");
    }
}

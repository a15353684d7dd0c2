using System.Net;
using Nuncio.Resources.Collections;
using Nuncio.Resources.Core;
using Nuncio.Resources.Findings;

namespace Nuncio.Host.Demo;

/// <summary>Endpoints that send every port of a Service to one address.</summary>
internal static class DemoEndpoints
{
    public static EndpointsResource For(ServiceResource service, IPEndPoint server)
    {
        var ports = service.Ports.Select(port => new EndpointPort(port.Name, server.Port, port.Protocol));
        return new EndpointsResource
        {
            Key = new ResourceKey(EndpointsResource.KindName, service.Namespace, service.Name),
            Subsets = ValueList.Create<EndpointSubset>(
                [new EndpointSubset(ValueList.Create<string>([server.Address.ToString()]), ValueList<string>.Empty, ports.ToValueList())]),
        };
    }
}

using System.Net;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.Health;

/// <summary>Asks one endpoint one question, over and over.</summary>
internal abstract class HealthProbe : IDisposable
{
    protected HealthProbe(HealthCheckModel model, EndpointState endpoint)
    {
        Model = model;
        Endpoint = endpoint;
    }

    protected HealthCheckModel Model { get; }

    protected EndpointState Endpoint { get; }

    protected IPEndPoint Address
    {
        get
        {
            var port = Endpoint.Model.HealthCheckPort != 0 ? Endpoint.Model.HealthCheckPort : Model.AlternatePort;
            return port == 0 ? Endpoint.Address : new IPEndPoint(Endpoint.Address.Address, port);
        }
    }

    public static HealthProbe Create(HealthCheckModel model, EndpointState endpoint) => model.Probe switch
    {
        HttpHealthProbeModel http => new HttpHealthProbe(model, http, endpoint),
        GrpcHealthProbeModel grpc => new GrpcHealthProbe(model, grpc, endpoint),
        TcpHealthProbeModel tcp => new TcpHealthProbe(model, tcp, endpoint),
        _ => throw new InvalidOperationException("There is no other kind of probe."),
    };

    /// <summary>Asks once; a cancelled token is a timeout.</summary>
    public abstract ValueTask<HealthProbeResult> CheckAsync(CancellationToken cancellationToken);

    public virtual void Dispose()
    {
    }

    /// <summary>Who is asked, of the names that there may be: the endpoint's for checks, the check's own, the cluster's.</summary>
    protected string HostName(string own) =>
        Endpoint.Model.HealthCheckHostname.Length > 0 ? Endpoint.Model.HealthCheckHostname : own.Length > 0 ? own : Endpoint.Cluster.Model.Name;
}

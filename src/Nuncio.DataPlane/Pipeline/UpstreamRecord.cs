using System.Net;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>
/// What became of a request at its upstream, for access logs and header formats. Written by the router, read when the exchange ends. Times are
/// timestamps of the exchange's clock; 0 is "did not happen".
/// </summary>
public sealed class UpstreamRecord
{
    /// <summary>The endpoint; null where none was chosen. %UPSTREAM_HOST%, %UPSTREAM_REMOTE_ADDRESS%.</summary>
    public IPEndPoint? Host { get; set; }

    /// <summary>The endpoint's name where the cluster has names (%UPSTREAM_HOST_NAME%); empty for none.</summary>
    public string HostName { get; set; } = "";

    /// <summary>Our side of the connection. %UPSTREAM_LOCAL_ADDRESS%.</summary>
    public IPEndPoint? LocalAddress { get; set; }

    /// <summary>%UPSTREAM_CLUSTER%, observable name first; empty for none.</summary>
    public string Cluster { get; set; } = "";

    /// <summary>%VIRTUAL_CLUSTER_NAME%, known to the router alone as in Envoy; empty for none.</summary>
    public string VirtualCluster { get; set; } = "";

    /// <summary>%UPSTREAM_TRANSPORT_FAILURE_REASON%; empty for none.</summary>
    public string TransportFailureReason { get; set; } = "";

    /// <summary>%UPSTREAM_PROTOCOL%; null before a connection was found.</summary>
    public HttpProtocolVersion? Protocol { get; set; }

    /// <summary>%UPSTREAM_TLS_VERSION%; empty in cleartext.</summary>
    public string TlsVersion { get; set; } = "";

    /// <summary>%UPSTREAM_TLS_CIPHER%; empty in cleartext.</summary>
    public string TlsCipher { get; set; } = "";

    /// <summary>%UPSTREAM_REQUEST_ATTEMPT_COUNT%: tries, retries included.</summary>
    public int Attempts { get; set; }

    /// <summary>The first byte of the request was sent.</summary>
    public long RequestStarted { get; set; }

    /// <summary>The last byte of the request was sent.</summary>
    public long RequestEnded { get; set; }

    /// <summary>The response's headers came.</summary>
    public long ResponseStarted { get; set; }

    /// <summary>The response's last byte came.</summary>
    public long ResponseEnded { get; set; }

    /// <summary>%UPSTREAM_WIRE_BYTES_SENT%.</summary>
    public long WireBytesSent { get; set; }

    /// <summary>%UPSTREAM_WIRE_BYTES_RECEIVED%.</summary>
    public long WireBytesReceived { get; set; }

    /// <summary>There is none, or it is another try's: nothing is told of it.</summary>
    public void ForgetConnection()
    {
        LocalAddress = null;
        TlsVersion = TlsCipher = "";
        Protocol = null;
        RequestStarted = 0;
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        ForgetConnection();
        Host = null;
        HostName = Cluster = VirtualCluster = TransportFailureReason = "";
        Attempts = 0;
        RequestEnded = ResponseStarted = ResponseEnded = WireBytesSent = WireBytesReceived = 0;
    }
}

using System.Net;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http2;

namespace Nuncio.DataPlane.Tests.Http.Http2;

/// <summary>A server connection in memory, and the raw peer at its other end.</summary>
internal sealed class Http2ServerFixture
{
    public Http2ServerFixture(ScriptedProcessor? processor = null, Http2Options? options = null, TimeProvider? time = null)
    {
        (Near, var far) = MemoryTransport.CreatePair();
        Processor = processor ?? new ScriptedProcessor();
        Connection = new Http2ServerConnection(Near, Info(), Processor, options ?? Http2Options.Default, time ?? TimeProvider.System);
        Peer = new Http2Peer(far);
        Run = RunAsync();
    }

    public MemoryTransport Near { get; }

    public ScriptedProcessor Processor { get; }

    public Http2ServerConnection Connection { get; }

    public Http2Peer Peer { get; }

    public Task Run { get; }

    public static DownstreamConnectionInfo Info()
    {
        var address = new IPEndPoint(IPAddress.Loopback, 1);
        return new DownstreamConnectionInfo { Id = 1, DirectRemoteAddress = address, RemoteAddress = address, LocalAddress = address };
    }

    private async Task RunAsync()
    {
        await Connection.RunAsync(default);
        await Near.DisposeAsync();
    }
}

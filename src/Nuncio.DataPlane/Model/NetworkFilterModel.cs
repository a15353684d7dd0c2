using Nuncio.DataPlane.Listening;

namespace Nuncio.DataPlane.Model;

/// <summary>The terminal network filter of a filter chain: what a connection becomes.</summary>
public abstract class NetworkFilterModel
{
    /// <summary>The message it was bound from; an equal one in the next configuration keeps this object.</summary>
    internal Google.Protobuf.WellKnownTypes.Any? Source { get; set; }

    /// <summary>What binding it had to say that does not stop it; said again with every configuration that has it.</summary>
    internal Binding.BindErrors Remarks { get; set; } = new();

    /// <summary>Where its connections count from the moment that they are given to it, before TLS; null for none but the listener's.</summary>
    internal virtual Telemetry.HttpConnectionManagerMetrics? HttpMetrics => null;

    /// <summary>Where what it serves is logged.</summary>
    internal virtual IReadOnlyList<AccessLogging.AccessLogModel> AccessLogs => [];

    /// <summary>How what it serves is traced; null when it is not.</summary>
    internal virtual Tracing.TracingModel? Tracing => null;

    /// <summary>
    /// Begins to serve a connection. May wait for its first bytes; null when there is nothing to serve: the caller closes the connection.
    /// </summary>
    public abstract ValueTask<NetworkSession?> BeginAsync(AcceptedConnection connection);
}

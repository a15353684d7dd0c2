using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Errors;

/// <summary>What a client is told, and what is logged, when an upstream gives no response: Envoy's words and flags for each cause.</summary>
internal static class UpstreamFailure
{
    private const string BodyStart = "upstream connect error or disconnect/reset before headers. ";
    private const string RetriedStart = BodyStart + "retried and the latest ";
    private static readonly Entry[] Entries = BuildEntries();

    /// <summary>No endpoint is usable.</summary>
    public static ReadOnlyMemory<byte> NoHealthyUpstream { get; } = "no healthy upstream"u8.ToArray();

    /// <summary>Time ran out.</summary>
    public static ReadOnlyMemory<byte> RequestTimeout { get; } = "upstream request timeout"u8.ToArray();

    /// <summary>Nothing moved for too long.</summary>
    public static ReadOnlyMemory<byte> StreamTimeout { get; } = "stream timeout"u8.ToArray();

    /// <summary>The request lasted longer than it may.</summary>
    public static ReadOnlyMemory<byte> MaxDuration { get; } = "upstream max stream duration reached"u8.ToArray();

    /// <summary>The status: 502 where the upstream broke the protocol, 503 otherwise.</summary>
    public static int Status(StreamResetReason reason) => reason is StreamResetReason.ProtocolError or StreamResetReason.RemoteProtocolError ? 502 : 503;

    /// <summary>The flag.</summary>
    public static ResponseFlags Flag(StreamResetReason reason) => reason switch
    {
        StreamResetReason.ConnectionFailure or StreamResetReason.ConnectionTimeout => ResponseFlags.UpstreamConnectionFailure,
        StreamResetReason.ConnectionTermination => ResponseFlags.UpstreamConnectionTermination,
        StreamResetReason.RemoteReset or StreamResetReason.RemoteRefusedStream => ResponseFlags.UpstreamRemoteReset,
        StreamResetReason.ProtocolError or StreamResetReason.RemoteProtocolError => ResponseFlags.UpstreamProtocolError,
        StreamResetReason.Overflow => ResponseFlags.UpstreamOverflow,
        _ => ResponseFlags.LocalReset,
    };

    /// <summary>The body.</summary>
    public static ReadOnlyMemory<byte> Body(StreamResetReason reason, bool retried) => retried ? Entries[(int)reason].RetriedBody : Entries[(int)reason].Body;

    /// <summary>The details before the response, or after its start.</summary>
    /// <param name="reason">The cause.</param>
    /// <param name="transport">Envoy's transport failure reason; empty for none.</param>
    /// <param name="started">The response had started.</param>
    public static string Details(StreamResetReason reason, string transport, bool started)
    {
        var entry = Entries[(int)reason];
        var details = started ? entry.LateDetails : entry.Details;
        return transport.Length == 0 ? details : details[..^1] + "|" + transport.Replace(' ', '_') + "}";
    }

    private static Entry[] BuildEntries()
    {
        var entries = new Entry[Enum.GetValues<StreamResetReason>().Length];
        foreach (var reason in Enum.GetValues<StreamResetReason>())
        {
            var word = Word(reason);
            var name = word.Replace(' ', '_');
            entries[(int)reason] = new Entry(
                Encoding.ASCII.GetBytes(BodyStart + "reset reason: " + word),
                Encoding.ASCII.GetBytes(RetriedStart + "reset reason: " + word),
                "upstream_reset_before_response_started{" + name + "}",
                "upstream_reset_after_response_started{" + name + "}");
        }

        return entries;
    }

    private static string Word(StreamResetReason reason) => reason switch
    {
        StreamResetReason.ConnectionFailure => "remote connection failure",
        StreamResetReason.ConnectionTimeout => "connection timeout",
        StreamResetReason.ConnectionTermination => "connection termination",
        StreamResetReason.RemoteReset => "remote reset",
        StreamResetReason.RemoteRefusedStream => "remote refused stream reset",
        StreamResetReason.ProtocolError or StreamResetReason.RemoteProtocolError => "protocol error",
        StreamResetReason.Overflow => "overflow",
        _ => "local reset",
    };

    private sealed record Entry(ReadOnlyMemory<byte> Body, ReadOnlyMemory<byte> RetriedBody, string Details, string LateDetails);
}

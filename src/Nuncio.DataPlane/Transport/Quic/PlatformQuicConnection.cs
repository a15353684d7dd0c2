using System.Net.Quic;
using System.Runtime.Versioning;

namespace Nuncio.DataPlane.Transport.Quic;

/// <summary>A connection of the platform's QUIC.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class PlatformQuicConnection : QuicTransportConnection
{
    private static readonly TimeSpan LongestClose = TimeSpan.FromSeconds(1);

    private readonly QuicConnection _connection;
    private readonly Lock _gate = new();
    private Task? _closing;
    private volatile bool _endedByPeer;

    public PlatformQuicConnection(QuicConnection connection) => _connection = connection;

    /// <inheritdoc/>
    public override bool IsEndedByPeer => _endedByPeer;

    /// <inheritdoc/>
    public override async ValueTask<QuicTransportStream?> AcceptStreamAsync()
    {
        try
        {
            return new PlatformQuicStream(await _connection.AcceptInboundStreamAsync());
        }
        catch (Exception e) when (PlatformQuicStream.IsExpected(e))
        {
            _endedByPeer |= e is QuicException { QuicError: not QuicError.OperationAborted };
            return null;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<QuicTransportStream?> OpenUnidirectionalStreamAsync()
    {
        try
        {
            return new PlatformQuicStream(await _connection.OpenOutboundStreamAsync(QuicStreamType.Unidirectional));
        }
        catch (Exception e) when (PlatformQuicStream.IsExpected(e))
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public override void Close(long errorCode)
    {
        lock (_gate)
        {
            _closing ??= CloseConnectionAsync(errorCode);
        }
    }

    /// <summary>Ends it, and waits a while until the peer has been told: a process that ends tells nobody any more.</summary>
    public async ValueTask CloseAsync(long errorCode, TimeProvider time)
    {
        Close(errorCode);

        // Whether the peer answers or not, and whatever the platform says, it is over.
        await _closing!.WaitAsync(LongestClose, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task CloseConnectionAsync(long errorCode)
    {
        try
        {
            await _connection.CloseAsync(errorCode);
        }
        catch (Exception e) when (PlatformQuicStream.IsExpected(e))
        {
            // It has ended already.
        }

        await _connection.DisposeAsync();
    }
}

using System.Net.Quic;
using System.Runtime.Versioning;

namespace Nuncio.DataPlane.Transport.Quic;

/// <summary>A connection of the platform's QUIC.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class PlatformQuicConnection : QuicTransportConnection
{
    private readonly QuicConnection _connection;
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
    public override void Close(long errorCode) => _ = CloseAsync(errorCode);

    private async Task CloseAsync(long errorCode)
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

using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http1;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Binding;

/// <summary>What of a connection manager the codecs need.</summary>
internal static class HttpCodecBinder
{
    /// <summary>For HTTP/1.1. Names in the message that it does not honour are the connection manager's binder to refuse.</summary>
    public static Http1ServerOptions Http1(HttpConnectionManagerModel model)
    {
        var options = model.Http1Options;
        var format = HeaderKeyFormatBinder.Bind(options?.HeaderKeyFormat);
        return new Http1ServerOptions
        {
            MaxHeaderBytes = model.MaxRequestHeaderBytes,
            MaxHeaderCount = model.MaxRequestHeaderCount,
            AcceptHttp10 = options?.AcceptHttp10 ?? false,
            DefaultHostForHttp10 = options?.DefaultHostForHttp10 ?? "",
            HeaderCase = format.Case,
            PreserveCase = format.Preserves,
            CapitalisesOthers = format.CapitalisesOthers,
            EnableTrailers = options?.EnableTrailers ?? false,
            AllowChunkedLength = options?.AllowChunkedLength ?? false,
            AllowCustomMethods = options?.AllowCustomMethods ?? false,
            UnderscoreAction = Underscores(model),
            Proxy100Continue = model.Proxy100Continue,
            IdleTimeout = model.ConnectionIdleTimeout,
            RequestHeadersTimeout = model.RequestHeadersTimeout > TimeSpan.Zero
                ? model.RequestHeadersTimeout : Http1ServerOptions.Default.RequestHeadersTimeout,
            MaxConnectionDuration = model.MaxConnectionDuration,
            MaxRequestsPerConnection = model.MaxRequestsPerConnection,
            DelayedCloseTimeout = model.DelayedCloseTimeout,
        };
    }

    /// <summary>For HTTP/2 with clients.</summary>
    public static Http2Options Http2(HttpConnectionManagerModel model) => Http2OptionsBinder.Bind(model.Http2Options) with
    {
        StreamErrorOnInvalidHttpMessage = model.Http2Options?.OverrideStreamErrorOnInvalidHttpMessage ?? model.StreamErrorOnInvalidHttpMessage,
        MaxHeaderBytes = model.MaxRequestHeaderBytes,
        MaxHeaderCount = model.MaxRequestHeaderCount,
        UnderscoreAction = Underscores(model),
        PrefaceTimeout = model.RequestHeadersTimeout > TimeSpan.Zero ? model.RequestHeadersTimeout : Http1ServerOptions.Default.RequestHeadersTimeout,
        IdleTimeout = model.ConnectionIdleTimeout > TimeSpan.Zero ? model.ConnectionIdleTimeout : null,
        MaxConnectionDuration = model.MaxConnectionDuration > TimeSpan.Zero ? model.MaxConnectionDuration : null,
        MaxRequestsPerConnection = model.MaxRequestsPerConnection,
    };

    /// <summary>For HTTP/3.</summary>
    public static Http3Options Http3(HttpConnectionManagerModel model) => model.Http3Options with
    {
        StreamErrorOnInvalidHttpMessage =
            model.Message?.Http3ProtocolOptions?.OverrideStreamErrorOnInvalidHttpMessage ?? model.StreamErrorOnInvalidHttpMessage,
        MaxHeaderBytes = model.MaxRequestHeaderBytes,
        MaxHeaderCount = model.MaxRequestHeaderCount,
        UnderscoreAction = Underscores(model),
        RequestHeadersTimeout = model.RequestHeadersTimeout > TimeSpan.Zero ? model.RequestHeadersTimeout : Http1ServerOptions.Default.RequestHeadersTimeout,
        FlushTimeout = model.StreamIdleTimeout > TimeSpan.Zero ? model.StreamIdleTimeout : null,
        IdleTimeout = model.ConnectionIdleTimeout > TimeSpan.Zero ? model.ConnectionIdleTimeout : null,
        MaxConnectionDuration = model.MaxConnectionDuration > TimeSpan.Zero ? model.MaxConnectionDuration : null,
        MaxRequestsPerConnection = model.MaxRequestsPerConnection,
    };

    private static HeaderUnderscoreAction Underscores(HttpConnectionManagerModel model) => model.UnderscoresAction switch
    {
        CoreV3.HttpProtocolOptions.Types.HeadersWithUnderscoresAction.RejectRequest => HeaderUnderscoreAction.RejectRequest,
        CoreV3.HttpProtocolOptions.Types.HeadersWithUnderscoresAction.DropHeader => HeaderUnderscoreAction.DropHeader,
        _ => HeaderUnderscoreAction.Allow,
    };
}

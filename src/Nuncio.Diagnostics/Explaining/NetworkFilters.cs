using Google.Protobuf;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;

namespace Nuncio.Diagnostics.Explaining;

/// <summary>Looks into filter chains.</summary>
internal static class NetworkFilters
{
    /// <summary>The connection manager or TCP proxy of a chain; null when it has neither.</summary>
    public static IMessage? Unpack(ListenerV3.FilterChain chain)
    {
        foreach (var filter in chain.Filters)
        {
            if (filter.TypedConfig is not { } config)
                continue;
            if (config.Is(HcmV3.HttpConnectionManager.Descriptor))
                return config.Unpack<HcmV3.HttpConnectionManager>();
            if (config.Is(TcpProxy.Descriptor))
                return config.Unpack<TcpProxy>();
        }

        return null;
    }
}

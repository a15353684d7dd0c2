using System.Text;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.Diagnostics.Explaining;

/// <summary>Makes the headers that routes would see.</summary>
internal static class RequestHeaders
{
    public static HeaderMap For(ExplainRequest request, HcmV3.HttpConnectionManager manager, int listenerPort)
    {
        var headers = new HeaderMap();
        headers.Add(KnownHeader.Method, Encoding.UTF8.GetBytes(request.Method));
        headers.Add(KnownHeader.Path, Encoding.UTF8.GetBytes(request.PathAndQuery));
        headers.Add(KnownHeader.Authority, Encoding.UTF8.GetBytes(request.Authority));
        headers.Add(KnownHeader.Scheme, Encoding.UTF8.GetBytes(request.Url.Scheme));
        var protocolIsSaid = false;
        foreach (var (name, value) in request.Headers)
        {
            if (name is "host" || name.StartsWith(':'))
                continue;
            if (name is "x-forwarded-proto")
            {
                // A client's word counts only where the gateway trusts proxies in front of it.
                if (!TrustsClient(manager))
                    continue;
                protocolIsSaid = true;
            }

            headers.Add(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(value));
        }

        if (!protocolIsSaid)
            headers.Add("x-forwarded-proto"u8, Encoding.UTF8.GetBytes(request.Url.Scheme));
        HostNormalizer.Normalize(headers, HttpConnectionManagerBinder.BindHostNormalization(manager), listenerPort);
        return headers;
    }

    private static bool TrustsClient(HcmV3.HttpConnectionManager manager) => manager.XffNumTrustedHops > 0 || manager.UseRemoteAddress is not true;
}

using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;

namespace Nuncio.Diagnostics.Explaining;

/// <summary>Makes the headers that routes would see.</summary>
internal static class RequestHeaders
{
    public static HeaderMap For(ExplainRequest request, HcmV3.HttpConnectionManager manager, int listenerPort)
    {
        var headers = new HeaderMap();
        headers.Add(KnownHeader.Method, Encoding.UTF8.GetBytes(request.Method));
        headers.Add(KnownHeader.Path, Encoding.UTF8.GetBytes(request.PathAndQuery));
        headers.Add(KnownHeader.Authority, Encoding.UTF8.GetBytes(Host(request, manager, listenerPort)));
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
        return headers;
    }

    public static PathNormalizationModel PathRules(HcmV3.HttpConnectionManager manager) => new()
    {
        Normalize = manager.NormalizePath ?? false,
        MergeSlashes = manager.MergeSlashes,
        EscapedSlashes = manager.PathWithEscapedSlashesAction,
    };

    private static bool TrustsClient(HcmV3.HttpConnectionManager manager) => manager.XffNumTrustedHops > 0 || manager.UseRemoteAddress is not true;

    private static string Host(ExplainRequest request, HcmV3.HttpConnectionManager manager, int listenerPort)
    {
        var host = request.Authority;
        var colon = host.LastIndexOf(':');
        var hasPort = colon > host.LastIndexOf(']') && int.TryParse(host.AsSpan(colon + 1), out var port)
            && (manager.StripPortModeCase == HcmV3.HttpConnectionManager.StripPortModeOneofCase.StripAnyHostPort && manager.StripAnyHostPort
                || manager.StripMatchingHostPort && port == listenerPort);
        return hasPort ? host[..colon] : host;
    }
}

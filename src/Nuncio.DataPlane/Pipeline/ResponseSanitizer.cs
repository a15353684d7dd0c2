using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using ServerTransformation = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.ServerHeaderTransformation;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>What a connection manager does to a response's headers last (Envoy's encodeHeaders and mutateResponseHeaders).</summary>
internal static class ResponseSanitizer
{
    /// <summary>Completes the headers.</summary>
    public static void Finish(HttpExchange exchange, HeaderMap headers)
    {
        var model = exchange.ConnectionManager;
        if (!headers.Contains(KnownHeader.Date))
        {
            headers.Add(KnownHeader.Date, DateHeader.Now(exchange.StartTime));
        }

        if (model.ServerHeaderTransformation == ServerTransformation.Overwrite
            || (model.ServerHeaderTransformation == ServerTransformation.AppendIfAbsent && !headers.Contains(KnownHeader.Server)))
        {
            headers.Set(KnownHeader.Server, model.ServerName);
        }

        if (!(exchange.IsUpgrade && ConnectionHeaders.IsUpgrade(headers)))
        {
            headers.Remove(KnownHeader.Connection);
            headers.Remove(KnownHeader.Upgrade);
        }

        headers.Remove(KnownHeader.TransferEncoding);
        headers.Remove(KnownHeader.KeepAlive);
        headers.Remove(KnownHeader.ProxyConnection);
        if (model.AlwaysSetRequestIdInResponse && exchange.RequestHeaders.TryGet(KnownHeader.XRequestId, out var id))
        {
            headers.Set(KnownHeader.XRequestId, id);
        }

        if (model.Via.Length > 0)
        {
            HeaderText.Append(headers, KnownHeader.Via, model.Via, ", "u8);
        }
    }
}

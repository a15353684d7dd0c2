using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using ServerHeader = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.ServerHeaderTransformation;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>What a connection manager does to a response's headers before they are written, as Envoy does.</summary>
public static class ResponseHeaderPolicy
{
    /// <summary>Does the work on the final response's headers, an upstream's or our own.</summary>
    /// <param name="headers">With <c>:status</c>.</param>
    /// <param name="request">The request's headers.</param>
    /// <param name="model">The connection manager.</param>
    /// <param name="isUpgrade">It opens a tunnel (101): Connection and Upgrade stay.</param>
    /// <param name="date">The Date header for responses without one (RFC 9110 section 6.6.1).</param>
    public static void Apply(HeaderMap headers, HeaderMap request, HttpConnectionManagerModel model, bool isUpgrade, ReadOnlySpan<byte> date)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(model);
        if (!isUpgrade)
        {
            headers.Remove(KnownHeader.Connection);
            headers.Remove(KnownHeader.Upgrade);
        }

        headers.Remove(KnownHeader.TransferEncoding);
        headers.Remove(KnownHeader.KeepAlive);
        headers.Remove(KnownHeader.ProxyConnection);
        if (model.AlwaysSetRequestIdInResponse || request.Contains(KnownHeader.XEnvoyForceTrace))
        {
            if (request.TryGet(KnownHeader.XRequestId, out var id))
            {
                headers.Set(KnownHeader.XRequestId, id);
            }
        }

        if (model.Via.Length > 0)
        {
            ViaHeader.Append(headers, model.Via);
        }

        if (!headers.Contains(KnownHeader.Date))
        {
            headers.Add(KnownHeader.Date, date);
        }

        if (model.ServerHeaderTransformation == ServerHeader.Overwrite
            || (model.ServerHeaderTransformation == ServerHeader.AppendIfAbsent && !headers.Contains(KnownHeader.Server)))
        {
            headers.Set(KnownHeader.Server, model.ServerName);
        }
    }
}

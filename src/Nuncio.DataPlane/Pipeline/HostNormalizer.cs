using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Routing;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>Cleans <c>:authority</c> before the virtual host is chosen (Envoy's strip_matching_host_port and its like).</summary>
public static class HostNormalizer
{
    /// <summary>Cleans it.</summary>
    /// <param name="headers">Of the request.</param>
    /// <param name="model">What to clean.</param>
    /// <param name="localPort">The port that took the connection: what "matching" means.</param>
    public static void Normalize(HeaderMap headers, HostNormalizationModel model, int localPort)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(model);
        if (model.StripTrailingDot)
        {
            StripTrailingDot(headers);
        }

        // A CONNECT request names a host and a port to connect to: its port is not decoration.
        if ((model.StripMatchingPort || model.StripAnyPort) && !headers.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8))
        {
            var host = headers.Get(KnownHeader.Authority);
            var port = HostPort.PortStart(host);
            if (port >= 0 && (model.StripAnyPort || (int.TryParse(host[(port + 1)..], out var number) && number == localPort)))
            {
                headers.Set(KnownHeader.Authority, host[..port]);
            }
        }
    }

    private static void StripTrailingDot(HeaderMap headers)
    {
        var host = headers.Get(KnownHeader.Authority);
        var port = HostPort.PortStart(host);
        var end = port < 0 ? host.Length : port;
        if (end == 0 || host[end - 1] != (byte)'.')
        {
            return;
        }

        if (port < 0)
        {
            headers.Set(KnownHeader.Authority, host[..^1]);
            return;
        }

        Span<byte> stripped = stackalloc byte[host.Length <= 512 ? host.Length - 1 : 0];
        if (stripped.Length > 0)
        {
            host[..(end - 1)].CopyTo(stripped);
            host[port..].CopyTo(stripped[(end - 1)..]);
            headers.Set(KnownHeader.Authority, stripped);
        }
    }
}

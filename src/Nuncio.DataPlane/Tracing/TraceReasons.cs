using System.Globalization;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Tracing;

/// <summary>
/// Whether a request is traced and why. The reason is kept in x-request-id, so that all proxies that a request passes decide alike
/// (Envoy's uuid request id extension).
/// </summary>
internal static class TraceReasons
{
    private const int Place = 14;
    private const byte None = (byte)'4';
    private const byte Sampled = (byte)'9';
    private const byte ByService = (byte)'a';
    private const byte ByClient = (byte)'b';

    /// <summary>Decides and marks the id; true when the request is traced.</summary>
    public static bool Decide(HeaderMap headers, TracingModel model)
    {
        var id = headers.Get(KnownHeader.XRequestId);
        if (id.Length != 36 || !uint.TryParse(id[..8], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        var result = number % TracingModel.SamplingBase;
        var reason = id[Place] is Sampled or ByService or ByClient ? id[Place] : None;
        if (reason == None)
        {
            reason = headers.Contains(KnownHeader.XClientTraceId) && Includes(model.ClientSampling, (uint)Random.Shared.Next(TracingModel.SamplingBase))
                ? ByClient
                : headers.Contains(KnownHeader.XEnvoyForceTrace) ? ByService
                : Includes(model.RandomSampling, result) ? Sampled
                : None;
        }

        if (reason != None && !Includes(model.OverallSampling, result))
        {
            reason = None;
        }

        if (id[Place] != reason)
        {
            Span<byte> marked = stackalloc byte[36];
            id.CopyTo(marked);
            marked[Place] = reason;
            headers.Set(KnownHeader.XRequestId, marked);
        }

        return reason != None;
    }

    private static bool Includes(int part, uint value) => value < part;
}

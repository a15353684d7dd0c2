using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.Health;

/// <summary>Sends an HTTP request and looks at the status.</summary>
internal sealed class HttpHealthProbe(HealthCheckModel model, HttpHealthProbeModel probe, EndpointState endpoint)
    : RequestHealthProbe(model, endpoint, probe.UseHttp2)
{
    private readonly HeaderMap _headers = new();

    protected override bool KeepsConnection => false;

    protected override async ValueTask<HealthProbeResult> AskAsync(HttpClientStream stream)
    {
        Fill();
        if (await stream.WriteHeadersAsync(_headers, true) != StreamResetReason.None || await stream.FlushAsync() != StreamResetReason.None
            || (await ReadHeadAsync(stream)).Error != StreamResetReason.None)
        {
            return HealthProbeResult.NetworkFailed;
        }

        var headers = stream.ResponseHeaders;
        var result = Contains(probe.ExpectedStatuses, headers.Status)
            ? headers.Contains(KnownHeader.XEnvoyDegraded) ? HealthProbeResult.PassedDegraded : HealthProbeResult.Passed
            : Contains(probe.RetriableStatuses, headers.Status) ? HealthProbeResult.FailedRetriable
            : headers.TryGet("x-envoy-immediate-health-check-fail"u8, out _) ? HealthProbeResult.FailedExcluded
            : HealthProbeResult.Failed;
        BodyRead read;
        do
        {
            read = await stream.ReadBodyAsync();
        }
        while (!read.EndStream);
        return read.Error == StreamResetReason.None ? result : HealthProbeResult.NetworkFailed;
    }

    private void Fill()
    {
        _headers.Clear();
        _headers.Add(KnownHeader.Method, Encoding.ASCII.GetBytes(probe.Method));
        _headers.Add(KnownHeader.Scheme, Endpoint.Cluster.Model.Transport is { IsTls: true } ? "https"u8 : "http"u8);
        _headers.Add(KnownHeader.Authority, Encoding.ASCII.GetBytes(HostName(probe.Host)));
        _headers.Add(KnownHeader.Path, Encoding.ASCII.GetBytes(probe.Path));
        _headers.Add(KnownHeader.UserAgent, "Envoy/HC"u8);
        foreach (var (name, value, replace) in probe.AddHeaders)
        {
            var nameBytes = Encoding.ASCII.GetBytes(name);
            if (replace)
            {
                _headers.Set(nameBytes, Encoding.UTF8.GetBytes(value));
            }
            else
            {
                _headers.Add(nameBytes, Encoding.UTF8.GetBytes(value));
            }
        }

        foreach (var name in probe.RemoveHeaders)
        {
            _headers.Remove(Encoding.ASCII.GetBytes(name));
        }
    }

    private static bool Contains(IReadOnlyList<(long Start, long End)> ranges, int status)
    {
        foreach (var (start, end) in ranges)
        {
            if (status >= start && status < end)
            {
                return true;
            }
        }

        return false;
    }
}

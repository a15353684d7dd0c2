using System.Globalization;
using System.Net;

namespace Nuncio.Host.Planes.LocalEnvoy;

/// <summary>Asks an Envoy's administration interface. Every question has a time limit; no answer is a null.</summary>
internal sealed class EnvoyAdmin(IPEndPoint address) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30) })
    {
        BaseAddress = new Uri($"http://{address}"),
        Timeout = TimeSpan.FromSeconds(5),
        MaxResponseContentBufferSize = 256 * 1024 * 1024,
    };

    /// <summary>Envoy has everything it waited for at its start, and takes traffic.</summary>
    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        using var response = await AskAsync(HttpMethod.Get, "/ready", cancellationToken);
        return response?.StatusCode == HttpStatusCode.OK;
    }

    /// <summary>Statistics in Prometheus' text form.</summary>
    public async Task<byte[]?> MetricsAsync(CancellationToken cancellationToken)
    {
        using var response = await AskAsync(HttpMethod.Get, "/stats/prometheus", cancellationToken);
        return response is { IsSuccessStatusCode: true } ? await response.Content.ReadAsByteArrayAsync(cancellationToken) : null;
    }

    /// <summary>No new connections; connections end after their next response.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        // The first makes responses say that the connection closes, the second closes the listening sockets.
        (await AskAsync(HttpMethod.Post, "/healthcheck/fail", cancellationToken))?.Dispose();
        (await AskAsync(HttpMethod.Post, "/drain_listeners", cancellationToken))?.Dispose();
    }

    /// <summary>How many requests and TCP connections are open; null without an answer.</summary>
    public async Task<long?> OpenAsync(CancellationToken cancellationToken)
    {
        using var response = await AskAsync(HttpMethod.Get, "/stats?filter=^(http|tcp)%5C..*%5C.downstream_(rq|cx)_active$", cancellationToken);
        if (response is not { IsSuccessStatusCode: true }) return null;
        long open = 0;
        foreach (var line in (await response.Content.ReadAsStringAsync(cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.LastIndexOf(':');
            var counts = line.StartsWith("tcp.", StringComparison.Ordinal)
                || (line.Contains(".downstream_rq_active:", StringComparison.Ordinal) && !line.StartsWith("http.admin.", StringComparison.Ordinal));
            if (counts && long.TryParse(line.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var value)) open += value;
        }

        return open;
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage?> AskAsync(HttpMethod method, string path, CancellationToken cancellationToken)
    {
        try
        {
            return await _http.SendAsync(new HttpRequestMessage(method, path), cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }
}

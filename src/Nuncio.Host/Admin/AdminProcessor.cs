using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.Host.Admin;

/// <summary>The pages of the admin port: health (spec 10.1), metrics (10.3) and the configuration that serves.</summary>
public sealed class AdminProcessor(GatewayState state, Func<CancellationToken, Task<ReadOnlyMemory<byte>?>> metrics) : PageProcessor
{
    /// <inheritdoc/>
    protected override async ValueTask<Page> AnswerAsync(string method, string target, HttpServerStream stream)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (method is not ("GET" or "HEAD") || PathOf(target) != "/metrics") return Answer(method, target, stream);
        return await metrics(CancellationToken.None) is { } text
            ? new Page(200, PrometheusTextWriter.ContentType, text)
            : Page.Text(503, "The data plane does not answer\n");
    }

    /// <inheritdoc/>
    protected override Page Answer(string method, string target, HttpServerStream stream)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (method is not ("GET" or "HEAD"))
            return Page.Text(405, "Only GET is answered here\n");
        return PathOf(target) switch
        {
            "/ambassador/v0/check_alive" => Page.Text(200, "Ambassador is alive and well\n"),
            "/ambassador/v0/check_ready" => state.IsReady ? Page.Text(200, "Ambassador is ready and waiting\n") : Page.Text(503, "Ambassador is not ready\n"),
            "/config_dump" => Dump(),
            _ => Page.Text(404, "Not found. There are /ambassador/v0/check_alive, /ambassador/v0/check_ready, /metrics and /config_dump\n"),
        };
    }

    private static string PathOf(string target)
    {
        var query = target.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? target : target[..query];
    }

    private Page Dump() => state.Serving is { } serving
        ? new Page(200, "application/json", ConfigDumpWriter.Write(serving.Compilation.Snapshot))
        : Page.Text(503, "No configuration serves yet\n");
}

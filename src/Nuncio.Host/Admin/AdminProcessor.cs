using System.Globalization;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Telemetry;
using Nuncio.Resources.Findings;

namespace Nuncio.Host.Admin;

/// <summary>The pages of the admin port: health (spec 10.1), metrics (10.3) and the configuration that serves.</summary>
/// <param name="state">What serves.</param>
/// <param name="metrics">Those of the data plane; null where it does not answer.</param>
/// <param name="ambassadorId">Of this process; <c>default</c> where it has none of its own.</param>
public sealed class AdminProcessor(GatewayState state, Func<CancellationToken, Task<ReadOnlyMemory<byte>?>> metrics, string ambassadorId = "default")
    : PageProcessor
{
    private readonly MetricLabels _identity = MetricLabels.Of("version", ProductVersion.Text).And("ambassador_id", ambassadorId);

    /// <inheritdoc/>
    protected override async ValueTask<Page> AnswerAsync(string method, string target, HttpServerStream stream)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (method is not ("GET" or "HEAD") || PathOf(target) != "/metrics") return Answer(method, target, stream);
        return await metrics(CancellationToken.None) is { } text
            ? new Page(200, PrometheusTextWriter.ContentType, (byte[])[.. text.Span, .. Encoding.UTF8.GetBytes(OwnMetrics())])
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

    /// <summary>What the control plane says of itself, with Emissary's names (spec 10.3).</summary>
    private string OwnMetrics()
    {
        var findings = state.Serving?.Findings ?? [];
        var errors = findings.Count(finding => finding.Level == FindingLevel.Error);
        return string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            # TYPE ambassador_diagnostics_errors gauge
            ambassador_diagnostics_errors {{errors}}
            # TYPE ambassador_diagnostics_notices gauge
            ambassador_diagnostics_notices {{findings.Length - errors}}
            # TYPE ambassador_diagnostics_info gauge
            ambassador_diagnostics_info{{{_identity.Text}}} 1

            """);
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

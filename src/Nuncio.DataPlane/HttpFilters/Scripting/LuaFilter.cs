using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>
/// Runs a script for each request and response (envoy.filters.http.lua): <c>envoy_on_request</c> and <c>envoy_on_response</c>. A script that fails is logged,
/// and the request goes on, as in Envoy.
/// </summary>
/// <param name="machines">The script that runs where a route says nothing else.</param>
/// <param name="named">The scripts that routes may name.</param>
/// <param name="calls">For calls that scripts make.</param>
/// <param name="metrics">Where runs and failures are counted.</param>
/// <param name="clearRouteCache">The route is chosen again when a script changed headers.</param>
/// <param name="logger">Where scripts log.</param>
internal sealed partial class LuaFilter(
    LuaMachine[] machines, FrozenDictionary<string, LuaMachine[]> named, UpstreamCalls calls, MetricsRegistry metrics, bool clearRouteCache, ILogger logger)
    : HttpFilter
{
    /// <summary>The largest body that a script may see.</summary>
    private const int MaxBodyBytes = 1024 * 1024;

    private readonly MetricCounter _errors = metrics.Counter("envoy_http_lua_errors", MetricLabels.None);
    private readonly MetricCounter _executions = metrics.Counter("envoy_http_lua_executions", MetricLabels.None);
    private readonly LuaStatistics _statistics = new(metrics);

    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
    {
        var route = exchange.FindFilterConfig(Name) as LuaRouteConfig;
        if (Machine(exchange, route) is not { } machine)
        {
            return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
        }

        var run = new LuaRun(exchange, exchange.RequestHeaders, Name, route, logger) { Statistics = _statistics };
        _executions.Increment();
        return machine.Start(run, "envoy_on_request") is var state && state == LuaRunState.Waiting
            ? WaitAsync(exchange, machine, run) : new ValueTask<FilterOutcome>(Finish(exchange, run, state));
    }

    /// <inheritdoc/>
    public override void OnResponseHeaders(HttpExchange exchange, HeaderMap headers, bool endStream)
    {
        var route = exchange.FindFilterConfig(Name) as LuaRouteConfig;
        if (Machine(exchange, route) is not { } machine)
        {
            return;
        }

        var run = new LuaRun(exchange, headers, Name, route, logger) { Statistics = _statistics };
        var state = machine.Start(run, "envoy_on_response");
        while (state == LuaRunState.Waiting && (endStream || exchange.IsUpgrade) && run.Request[0] is "chunk" or "trailers")
        {
            state = machine.Resume(run, value: false, error: null);
        }

        if (state != LuaRunState.Waiting)
        {
            Report(run, state, exchange.Downstream.Clusters);
        }
        else if (run.Request[0] is "chunk" or "trailers")
        {
            // What goes by need not have the length that the upstream announced.
            if (run.Request[0] == "chunk")
            {
                headers.Remove(KnownHeader.ContentLength);
            }

            var chunks = new LuaResponseChunks(new LuaStream(this, machine, run, exchange), exchange.ResponseBody);
            Streams(exchange).Response = chunks;
            exchange.ResponseBody = chunks;
        }
        else
        {
            // Headers wait until the script has what it asked for.
            var held = new LuaHeldResponse(this, machine, run, exchange, headers);
            Streams(exchange).Held = held;
            exchange.HoldResponse(held);
        }
    }

    /// <inheritdoc/>
    public override void OnResponseTrailers(HttpExchange exchange, HeaderMap trailers) =>
        (exchange.FilterState[Index] as LuaStreams)?.Response?.OnTrailers(trailers);

    /// <inheritdoc/>
    public override void OnComplete(HttpExchange exchange) => (exchange.FilterState[Index] as LuaStreams)?.End();

    private static readonly TimeSpan LongestCall = TimeSpan.FromMinutes(5);

    /// <summary>Counts and logs a failure.</summary>
    internal void Report(LuaRun run, LuaRunState state, ClusterGeneration? clusters)
    {
        if (state == LuaRunState.Failed)
        {
            _errors.Increment();
            LogFailed(logger, run.Error);
        }

        foreach (var call in run.Calls ?? [])
        {
            _ = CallAsync(call, client: null, run: null, clusters);
        }
    }

    /// <summary>Makes a call that a script asked for.</summary>
    /// <param name="request">The operation, the cluster, the body, the time, whether the client is named, then names and values of headers in turn.</param>
    /// <param name="client">The request it is made for; null for none.</param>
    /// <param name="run">Gets the answer; null for nobody.</param>
    /// <param name="clusters">The clusters as they were when the request of the script came; null for those of now.</param>
    /// <returns>Null, or why there was no call.</returns>
    internal async ValueTask<string?> CallAsync(IReadOnlyList<string> request, HttpServerStream? client, LuaRun? run, ClusterGeneration? clusters)
    {
        if ((clusters?.Find(request[1]) ?? calls.Clusters.Find(request[1])) is not { } cluster)
        {
            return "http call cluster invalid. Must be configured";
        }

        var call = calls.Rent();
        try
        {
            var headers = call.RequestHeaders;
            headers.Set(KnownHeader.Scheme, "http"u8);
            for (var i = 5; i + 1 < request.Count; i += 2)
            {
                var name = Encoding.ASCII.GetBytes(request[i].ToLowerInvariant());
                var value = LuaRun.Octets(request[i + 1]);
                if ((name is not [(byte)':', ..] && !HeaderValues.IsName(name)) || !HeaderValues.IsValue(value))
                {
                    return "a header of the call cannot be sent";
                }

                if (!HeaderValues.IsFraming(name))
                {
                    headers.Add(name, value);
                }
            }

            if (!headers.Contains(KnownHeader.Path) || !headers.Contains(KnownHeader.Method) || !headers.Contains(KnownHeader.Authority))
            {
                return "http call headers must include ':path', ':method', and ':authority'";
            }

            var body = LuaRun.Octets(request[2]);
            if (body.Length > 0)
            {
                headers.Set(KnownHeader.ContentLength, Encoding.ASCII.GetBytes(body.Length.ToString(CultureInfo.InvariantCulture)));
            }

            // Envoy takes 0 for no limit; a call that nobody waits for could then stay for ever.
            var timeout = long.TryParse(request[3], CultureInfo.InvariantCulture, out var milliseconds) && milliseconds > 0
                ? TimeSpan.FromMilliseconds(Math.Min(milliseconds, 3_600_000))
                : LongestCall;
            call.AddEnvoyHeaders(timeout, forwardedFor: request[4] == "true");
            if (await call.SendAsync(cluster, body, timeout, MaxBodyBytes, client) == UpstreamCallEnd.Answered)
            {
                run?.SetAnswer(call);
            }
            else
            {
                run?.SetNoAnswer();
            }

            return null;
        }
        finally
        {
            calls.Return(call);
        }
    }

    // A name that the filter does not have means no script, as in Envoy.
    private LuaMachine? Machine(HttpExchange exchange, LuaRouteConfig? route)
    {
        var chosen = route switch
        {
            { Name.Length: > 0 } => named.GetValueOrDefault(route.Name),
            { Machines: { } own } => own,
            _ => machines,
        };
        return chosen is null ? null : chosen[exchange.Random % (ulong)chosen.Length];
    }

    private async ValueTask<FilterOutcome> WaitAsync(HttpExchange exchange, LuaMachine machine, LuaRun run)
    {
        try
        {
            return await GoOnAsync(exchange, machine, run);
        }
        finally
        {
            if (!run.HeadersAreGone)
            {
                machine.End(run);
            }
        }
    }

    private LuaStreams Streams(HttpExchange exchange)
    {
        if (exchange.FilterState[Index] is not LuaStreams streams)
        {
            exchange.FilterState[Index] = streams = new LuaStreams();
        }

        return streams;
    }

    // The script goes on with each piece of the body that the upstream gets.
    private FilterOutcome Stream(HttpExchange exchange, LuaMachine machine, LuaRun run)
    {
        run.HeadersAreGone = true;
        if (run.Request[0] == "chunk")
        {
            exchange.RequestHeaders.Remove(KnownHeader.ContentLength);
        }

        var chunks = new LuaRequestChunks(new LuaStream(this, machine, run, exchange), exchange, exchange.RequestBody);
        Streams(exchange).Request = chunks;
        exchange.RequestBody = chunks;
        ClearRoute(exchange, run);
        return FilterOutcome.Continue;
    }

    private async ValueTask<FilterOutcome> GoOnAsync(HttpExchange exchange, LuaMachine machine, LuaRun run)
    {
        var state = LuaRunState.Waiting;
        while (state == LuaRunState.Waiting)
        {
            switch (run.Request[0])
            {
                case "respond":
                    Report(run, LuaRunState.Done, exchange.Downstream.Clusters);
                    return await RespondAsync(exchange, run);
                case "call":
                    var error = await CallAsync(run.Request, exchange.Downstream, run, exchange.Downstream.Clusters);
                    state = machine.Resume(run, value: true, error);
                    break;
                case "body":
                    if (run.Body is null && !exchange.RequestHasNoBody && !exchange.IsUpgrade)
                    {
                        var read = await RequestBuffer.ReadAsync(exchange, Math.Min(MaxBodyBytes, exchange.Downstream.Connection.BufferLimit), partial: false);
                        if (read.IsGone || read.IsTooLarge)
                        {
                            return read.IsGone ? FilterOutcome.Responded : await exchange.RespondAsync(LocalReplies.PayloadTooLarge);
                        }

                        run.Body = read.Kept.ToArray();
                    }
                    else if (run.Body is null && run.Request[1] == "true")
                    {
                        run.Body = [];
                    }

                    state = machine.Resume(run, run.Body is not null, error: null);
                    break;
                case "chunk" or "trailers" when run.Body is null && !exchange.RequestHasNoBody && !exchange.IsUpgrade:
                    return Stream(exchange, machine, run);
                case "chunk" or "trailers":
                    run.Trailers = exchange.Downstream.RequestTrailers;
                    state = machine.Resume(run, run.Request[0] == "trailers" && run.Trailers.Count > 0, error: null);
                    break;
                default:
                    state = machine.Resume(run, value: false, "this cannot be waited for");
                    break;
            }
        }

        return Finish(exchange, run, state);
    }

    private FilterOutcome Finish(HttpExchange exchange, LuaRun run, LuaRunState state)
    {
        Report(run, state, exchange.Downstream.Clusters);
        if (run.BodyChanged)
        {
            exchange.RequestBody = new WholeBody(run.Body!);
            exchange.RequestHeaders.Set(KnownHeader.ContentLength, Encoding.ASCII.GetBytes(run.Body!.Length.ToString(CultureInfo.InvariantCulture)));
        }

        ClearRoute(exchange, run);
        return FilterOutcome.Continue;
    }

    private void ClearRoute(HttpExchange exchange, LuaRun run)
    {
        if (run.HeadersChanged && clearRouteCache)
        {
            exchange.ClearRouteCache();
        }
    }

    private static ValueTask<FilterOutcome> RespondAsync(HttpExchange exchange, LuaRun run)
    {
        var headers = new HeaderMap();
        var status = 0;
        for (var i = 2; i + 1 < run.Request.Count; i += 2)
        {
            var name = Encoding.ASCII.GetBytes(run.Request[i].ToLowerInvariant());
            var value = LuaRun.Octets(run.Request[i + 1]);
            if (run.Request[i] == ":status")
            {
                _ = int.TryParse(run.Request[i + 1], CultureInfo.InvariantCulture, out status);
            }
            else if (HeaderValues.IsName(name) && HeaderValues.IsValue(value) && !HeaderValues.IsFraming(name))
            {
                headers.Add(name, value);
            }
        }

        return status is >= 200 and <= 599 ? exchange.RespondAsync(status, LuaRun.Octets(run.Request[1]), "lua_response", headers, replaceHeaders: true)
            : exchange.RespondAsync(LocalReplies.InternalError);
    }

    [LoggerMessage(1, LogLevel.Error, "A Lua script failed: {Error}")]
    private static partial void LogFailed(ILogger logger, string error);

    private sealed class WholeBody(byte[] body) : IBodySource
    {
        public ValueTask<BodyRead> ReadBodyAsync() => new(new BodyRead(body, EndStream: true));
    }
}

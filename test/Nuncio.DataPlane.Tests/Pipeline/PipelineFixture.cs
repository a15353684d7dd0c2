using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using RouterV3 = Envoy.Extensions.Filters.Http.Router.V3;

namespace Nuncio.DataPlane.Tests.Pipeline;

/// <summary>A pipeline of messages whose router answers with the request's headers as the upstream would have seen them.</summary>
internal sealed class PipelineFixture
{
    public HcmV3.HttpConnectionManager Manager { get; } = new() { StatPrefix = "test" };

    public RouteV3.VirtualHost Host { get; } = new() { Name = "host", Domains = { "*" } };

    public RouteV3.RouteConfiguration Routes { get; } = new() { Name = "routes" };

    public BindErrors Errors { get; } = new();

    /// <summary>What the upstream would have seen of the last forwarded request.</summary>
    public HeaderMap? Seen { get; private set; }

    public string Cluster { get; private set; } = "";

    /// <summary>Changes the upstream's response.</summary>
    public Action<HeaderMap>? Response { get; set; }

    /// <summary>Takes the router's place; null answers 200 with what the upstream would have seen.</summary>
    public Func<HttpExchange, ValueTask<FilterOutcome>>? Router { get; set; }

    public PipelineFixture Add(string prefix, Action<RouteV3.Route> configure)
    {
        var route = new RouteV3.Route { Match = new RouteV3.RouteMatch { Prefix = prefix } };
        configure(route);
        Host.Routes.Add(route);
        return this;
    }

    public HttpConnectionManagerModel? Bind(AccessLogFiles? files = null)
    {
        if (Routes.VirtualHosts.Count == 0)
        {
            Routes.VirtualHosts.Add(Host);
        }

        Manager.RouteConfig = Routes;
        if (Manager.HttpFilters.Count == 0 || Manager.HttpFilters[^1].Name != "router")
        {
            Manager.HttpFilters.Add(new HcmV3.HttpFilter { Name = "router", TypedConfig = Any.Pack(new RouterV3.Router()) });
        }

        var catalog = new HttpFilterCatalog([new BufferBinder(), new CompressorBinder(), new CorsBinder(), new RbacBinder(), new EchoBinder(this)]);
        return new HttpConnectionManagerBinder(catalog, new RouteConfigurationBinder(catalog), files ?? new AccessLogFiles()).Bind(Manager, "", Errors);
    }

    public async Task<FakeServerStream> SendAsync(FakeServerStream stream, AccessLogFiles? files = null)
    {
        var model = Bind(files);
        Errors.All.ShouldAllBe(error => error.IsPartial);
        var pipeline = new HttpPipeline(
            model!, new RouteConfigurationState { Current = model!.RouteConfiguration }, TimeProvider.System, null, NullLogger.Instance);
        await pipeline.ProcessAsync(stream);
        return stream;
    }

    private sealed class EchoBinder(PipelineFixture fixture) : HttpFilterBinder
    {
        public override string ConfigType => RouterV3.Router.Descriptor.FullName;

        public override HttpFilter Bind(string name, int index, Any config, string path, BindErrors errors) =>
            new EchoFilter(fixture) { Name = name, Index = index };
    }

    private sealed class EchoFilter(PipelineFixture fixture) : HttpFilter
    {
        public override async ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
        {
            if (fixture.Router is { } router)
            {
                return await router(exchange);
            }

            exchange.FinalizeRequestHeaders();
            fixture.Seen = new HeaderMap();
            fixture.Seen.AddAll(exchange.RequestHeaders);
            fixture.Cluster = exchange.ClusterName;
            exchange.ResponseCodeDetails = "via_upstream";
            var headers = new HeaderMap { Status = 200 };
            fixture.Response?.Invoke(headers);
            exchange.FinalizeResponseHeaders(headers);
            await exchange.WriteResponseHeadersAsync(headers, endStream: true);
            return FilterOutcome.Responded;
        }
    }
}

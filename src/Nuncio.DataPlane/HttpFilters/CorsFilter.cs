using System.Text;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>
/// Cross-origin resource sharing (envoy.filters.http.cors): answers preflight requests of allowed origins and marks the responses to others. It
/// forbids nothing: a browser does, where the marks are missing.
/// </summary>
public sealed class CorsFilter : HttpFilter
{
    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        var headers = exchange.RequestHeaders;
        var origin = headers.Get(KnownHeader.Origin);
        if (origin.IsEmpty || !TryFindPolicies(exchange, out var policies) || !policies.Enabled.Includes(exchange.Random))
        {
            return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
        }

        var isPreflight = headers.Get(KnownHeader.Method).SequenceEqual("OPTIONS"u8) && !headers.Get(KnownHeader.AccessControlRequestMethod).IsEmpty;
        if (!policies.IsAllowed(origin))
        {
            exchange.Statistics?.CorsOriginInvalid.Increment();
            return isPreflight && !policies.ForwardNotMatchingPreflights
                ? AnswerAsync(exchange, new HeaderMap()) : new ValueTask<FilterOutcome>(FilterOutcome.Continue);
        }

        exchange.Statistics?.CorsOriginValid.Increment();
        exchange.FilterState[Index] = Encoding.Latin1.GetString(origin);
        if (!isPreflight)
        {
            return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
        }

        var reply = new HeaderMap();
        if (policies.AllowPrivateNetworkAccess && headers.Get(KnownHeader.AccessControlRequestPrivateNetwork).SequenceEqual("true"u8))
        {
            reply.Add("access-control-allow-private-network"u8, "true"u8);
        }

        AddIfSet(reply, "access-control-allow-methods"u8, policies.AllowMethods);
        AddIfSet(reply, "access-control-allow-headers"u8, policies.AllowHeaders);
        AddIfSet(reply, "access-control-max-age"u8, policies.MaxAge);
        return AnswerAsync(exchange, reply);
    }

    /// <inheritdoc/>
    public override void OnResponseHeaders(HttpExchange exchange, HeaderMap headers, bool endStream)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        ArgumentNullException.ThrowIfNull(headers);
        if (exchange.FilterState[Index] is not string origin || !TryFindPolicies(exchange, out var policies))
        {
            return;
        }

        headers.Set("access-control-allow-origin"u8, Encoding.Latin1.GetBytes(origin));
        if (policies.AllowCredentials)
        {
            headers.Set("access-control-allow-credentials"u8, "true"u8);
        }

        if (policies.ExposeHeaders.Length > 0)
        {
            headers.Set("access-control-expose-headers"u8, policies.ExposeHeaders);
        }
    }

    private static void AddIfSet(HeaderMap headers, ReadOnlySpan<byte> name, byte[] value)
    {
        if (value.Length > 0)
        {
            headers.Add(name, value);
        }
    }

    private static async ValueTask<FilterOutcome> AnswerAsync(HttpExchange exchange, HeaderMap headers)
    {
        headers.Status = 200;
        exchange.ResponseCodeDetails = LocalReplies.CorsDetails;
        await exchange.WriteResponseHeadersAsync(headers, endStream: true);
        return FilterOutcome.Responded;
    }

    // The filter's own configuration of every level, or else the older fields of route and virtual host; each setting comes of the first that has it.
    private bool TryFindPolicies(HttpExchange exchange, out Policies policies)
    {
        var specific = exchange.Route?.FilterConfigs.Find(Name) as CorsPolicyModel;
        var general = exchange.VirtualHost?.FilterConfigs.Find(Name) as CorsPolicyModel
            ?? exchange.RouteConfiguration?.FilterConfigs.Find(Name) as CorsPolicyModel;
        if (specific is null && general is null)
        {
            specific = exchange.Forward?.Cors;
            general = exchange.VirtualHost?.Cors;
        }

        policies = new Policies(specific ?? general!, general);
        return specific is not null || general is not null;
    }

    private readonly struct Policies(CorsPolicyModel first, CorsPolicyModel? second)
    {
        public Matching.RuntimeFraction Enabled => first.Enabled;

        public bool ForwardNotMatchingPreflights => first.ForwardNotMatchingPreflights;

        public bool AllowCredentials => first.AllowCredentials ?? second?.AllowCredentials ?? false;

        public bool AllowPrivateNetworkAccess => first.AllowPrivateNetworkAccess ?? second?.AllowPrivateNetworkAccess ?? false;

        public byte[] AllowMethods => First(first.AllowMethods, second?.AllowMethods);

        public byte[] AllowHeaders => First(first.AllowHeaders, second?.AllowHeaders);

        public byte[] ExposeHeaders => First(first.ExposeHeaders, second?.ExposeHeaders);

        public byte[] MaxAge => First(first.MaxAge, second?.MaxAge);

        public bool IsAllowed(ReadOnlySpan<byte> origin)
        {
            var origins = first.AllowOrigins.Count > 0 ? first.AllowOrigins : second?.AllowOrigins ?? [];
            for (var i = 0; i < origins.Count; i++)
            {
                if (origins[i].IsMatch("*"u8) || origins[i].IsMatch(origin))
                {
                    return true;
                }
            }

            return false;
        }

        private static byte[] First(byte[] first, byte[]? second) => first.Length > 0 ? first : second ?? [];
    }
}

using System.Text;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.HttpFilters;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using CorsV3 = Envoy.Extensions.Filters.Http.Cors.V3;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds the CORS filter and its policies, of per-route configuration and of the older field of routes and virtual hosts.</summary>
public sealed class CorsBinder : HttpFilterBinder
{
    /// <inheritdoc/>
    public override string ConfigType => CorsV3.Cors.Descriptor.FullName;

    /// <inheritdoc/>
    public override string RouteConfigType => CorsV3.CorsPolicy.Descriptor.FullName;

    /// <inheritdoc/>
    public override HttpFilter Bind(string name, int index, Any config, string path, BindErrors errors) => new CorsFilter { Name = name, Index = index };

    /// <inheritdoc/>
    public override object? BindRoute(Any config, string path, BindErrors errors)
    {
        if (Unpack<CorsV3.CorsPolicy>(config, path, errors) is not { } message)
        {
            return null;
        }

        return new CorsPolicyModel
        {
            AllowOrigins = Origins(message.AllowOriginStringMatch, path, errors),
            AllowMethods = Encoding.UTF8.GetBytes(message.AllowMethods),
            AllowHeaders = Encoding.UTF8.GetBytes(message.AllowHeaders),
            ExposeHeaders = Encoding.UTF8.GetBytes(message.ExposeHeaders),
            MaxAge = Encoding.UTF8.GetBytes(message.MaxAge),
            AllowCredentials = message.AllowCredentials,
            AllowPrivateNetworkAccess = message.AllowPrivateNetworkAccess,
            ForwardNotMatchingPreflights = message.ForwardNotMatchingPreflights ?? true,
            Enabled = ValueBinder.Fraction(message.FilterEnabled),
        };
    }

    internal static CorsPolicyModel? Bind(RouteV3.CorsPolicy? message, string path, BindErrors errors) => message is null ? null : new CorsPolicyModel
    {
        AllowOrigins = Origins(message.AllowOriginStringMatch, path, errors),
        AllowMethods = Encoding.UTF8.GetBytes(message.AllowMethods),
        AllowHeaders = Encoding.UTF8.GetBytes(message.AllowHeaders),
        ExposeHeaders = Encoding.UTF8.GetBytes(message.ExposeHeaders),
        MaxAge = Encoding.UTF8.GetBytes(message.MaxAge),
        AllowCredentials = message.AllowCredentials,
        AllowPrivateNetworkAccess = message.AllowPrivateNetworkAccess,
        ForwardNotMatchingPreflights = message.ForwardNotMatchingPreflights ?? true,
        Enabled = ValueBinder.Fraction(message.FilterEnabled),
    };

    private static List<StringMatcher> Origins(IReadOnlyList<MatcherV3.StringMatcher> messages, string path, BindErrors errors)
    {
        var origins = new List<StringMatcher>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            if (ValueBinder.String(messages[i], BindErrors.Path(path, "allow_origin_string_match", i), errors) is { } origin)
            {
                origins.Add(origin);
            }
        }

        return origins;
    }
}

using System.Globalization;
using Envoy.Extensions.Filters.Http.Cors.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Validation;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>Reads a CORS policy (SPEC 9.2).</summary>
internal static class CorsReader
{
    public static Any Read(Resource? owner, string field, CorsConfig config, FindingSink findings)
    {
        var policy = new CorsPolicy
        {
            AllowMethods = Joined(config.Methods, "methods"),
            AllowHeaders = Joined(config.Headers, "headers"),
            ExposeHeaders = Joined(config.ExposedHeaders, "exposed_headers"),
        };
        foreach (var origin in config.Origins ?? ValueList<string>.Empty)
            policy.AllowOriginStringMatch.Add(new MatcherV3.StringMatcher { Exact = origin });
        if (config.Credentials == true)
            policy.AllowCredentials = true;
        if (config.MaxAge is { Length: > 0 } maxAge)
        {
            if (long.TryParse(maxAge, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                policy.MaxAge = maxAge;
            else
                findings.Error(owner, FindingCodes.InvalidFieldValue, field + ".max_age", $"'{maxAge}' is not a number of seconds; it is ignored");
        }

        return RouteMessages.Pack(policy);

        string Joined(ValueList<string>? values, string name)
        {
            if (values is null || values.Count == 0)
                return "";
            var text = string.Join(", ", values);
            if (HeaderRules.IsValue(text))
                return text;
            findings.Error(owner, FindingCodes.InvalidHeader, $"{field}.{name}", "a value holds control characters; the list is ignored");
            return "";
        }
    }
}

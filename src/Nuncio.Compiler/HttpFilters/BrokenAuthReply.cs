using System.Text.Encodings.Web;
using Envoy.Config.Accesslog.V3;

namespace Nuncio.Compiler.HttpFilters;

/// <summary>The body of the 500 that every request gets while the AuthService is misconfigured (SPEC 9.3).</summary>
internal static class BrokenAuthReply
{
    /// <summary>Fills the empty body of what the routes answer.</summary>
    /// <param name="key">The AuthService as Emissary names it: <c>name.namespace.1</c>.</param>
    public static HcmV3.LocalReplyConfig Of(string key)
    {
        var name = JavaScriptEncoder.Default.Encode(key).Replace("%", "%%", StringComparison.Ordinal);
        var status = new ComparisonFilter
        {
            Op = ComparisonFilter.Types.Op.Eq,
            Value = new CoreV3.RuntimeUInt32 { DefaultValue = (uint)TypeV3.StatusCode.InternalServerError, RuntimeKey = "nuncio.auth_service_misconfigured" },
        };
        var filter = new AccessLogFilter { StatusCodeFilter = new StatusCodeFilter { Comparison = status } };
        var body = new CoreV3.SubstitutionFormatString
        {
            TextFormatSource = new CoreV3.DataSource
            {
                InlineString = "{\n"
                    + $"  \"message\": \"the {name} AuthService is misconfigured; see the logs for more information\",\n"
                    + "  \"request_id\": \"%REQ(X-REQUEST-ID)%\",\n"
                    + "  \"status_code\": 500\n"
                    + "}\n",
            },
            ContentType = "application/json",
        };
        return new HcmV3.LocalReplyConfig { Mappers = { new HcmV3.ResponseMapper { Filter = filter, BodyFormatOverride = body } } };
    }
}

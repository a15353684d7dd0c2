using Google.Protobuf.WellKnownTypes;
using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Validation;
using Nuncio.Resources.Modules;
using PreserveCase = Envoy.Extensions.Http.HeaderFormatters.PreserveCase.V3.PreserveCaseFormatterConfig;
using UnderscoresAction = Envoy.Config.Core.V3.HttpProtocolOptions.Types.HeadersWithUnderscoresAction;

namespace Nuncio.Compiler.HttpFilters;

/// <summary>The keys of the Module <c>ambassador</c> that shape the HTTP connection manager (SPEC 4.5).</summary>
internal static class ConnectionManagerTemplate
{
    /// <summary>The largest <c>max_request_headers_kb</c> that Envoy takes.</summary>
    private const long MostHeaderKilobytes = 8192;

    /// <summary>A connection manager without filters, routes and statistics.</summary>
    public static HcmV3.HttpConnectionManager Create(ModulePlan module, FindingSink findings)
    {
        var config = module.Config;
        var manager = new HcmV3.HttpConnectionManager
        {
            NormalizePath = true,
            UseRemoteAddress = config.UseRemoteAddress ?? true,
            ServerName = ServerName(module, findings),
            PreserveExternalRequestId = config.PreserveExternalRequestId ?? false,
            StripMatchingHostPort = config.StripMatchingHostPort ?? false,
            MergeSlashes = config.MergeSlashes ?? false,
            HttpProtocolOptions = Http1(module, findings),
            CommonHttpProtocolOptions = CommonOptions(module, findings),
            MaxRequestHeadersKb = HeaderKilobytes(module, findings),
        };
        if (config.RejectRequestsWithEscapedSlashes == true)
        {
            manager.PathWithEscapedSlashesAction = HcmV3.HttpConnectionManager.Types.PathWithEscapedSlashesAction.RejectRequest;
        }
        AddClientCertificate(manager, module, findings);
        return manager;
    }

    private static string ServerName(ModulePlan module, FindingSink findings)
    {
        const string fallback = "envoy";
        if (module.Config.ServerName is not { Length: > 0 } name) return fallback;
        if (HeaderRules.IsValue(name)) return name;
        findings.Error(module.Resource, FindingCodes.InvalidFieldValue, "spec.config.server_name", "cannot be sent as a header; the default is used");
        return fallback;
    }

    private static uint? HeaderKilobytes(ModulePlan module, FindingSink findings)
    {
        if (module.Config.MaxRequestHeadersKb is not { } kilobytes || kilobytes == 0) return null;
        if (kilobytes is > 0 and <= MostHeaderKilobytes) return (uint)kilobytes;
        findings.Error(
            module.Resource, FindingCodes.InvalidFieldValue, "spec.config.max_request_headers_kb",
            $"must be between 1 and {MostHeaderKilobytes}; the default of 60 is used");
        return null;
    }

    private static CoreV3.Http1ProtocolOptions Http1(ModulePlan module, FindingSink findings)
    {
        var config = module.Config;
        var options = new CoreV3.Http1ProtocolOptions { AcceptHttp10 = config.EnableHttp10 ?? false };
        if (config.AllowChunkedLength is { } allow) options.AllowChunkedLength = allow;
        if (config.ProperCase == true)
        {
            if (config.HeaderCaseOverrides is { Count: > 0 })
            {
                findings.Error(
                    module.Resource,
                    FindingCodes.HeaderCaseConflict,
                    "spec.config.header_case_overrides",
                    "only one of proper_case and header_case_overrides may be set; proper_case is used");
            }
            options.HeaderKeyFormat = new CoreV3.Http1ProtocolOptions.Types.HeaderKeyFormat { ProperCaseWords = new() };
        }
        else if (module.HeaderCaseOverrides.Count > 0)
        {
            options.HeaderKeyFormat = new CoreV3.Http1ProtocolOptions.Types.HeaderKeyFormat
            {
                StatefulFormatter = new CoreV3.TypedExtensionConfig
                {
                    Name = "envoy.http.stateful_header_formatters.preserve_case",
                    TypedConfig = RouteMessages.Pack(new PreserveCase()),
                },
            };
        }
        return options;
    }

    private static CoreV3.HttpProtocolOptions? CommonOptions(ModulePlan module, FindingSink findings)
    {
        var config = module.Config;
        Duration? idle = null;
        if (config.ListenerIdleTimeoutMs is { } ms && ms != 0)
        {
            if (ms is > 0 and <= ClusterRules.LongestMs) idle = RouteMessages.Milliseconds(ms);
            else findings.Error(
                module.Resource, FindingCodes.InvalidFieldValue, "spec.config.listener_idle_timeout_ms", "must be above 0; the default of 1 h is used");
        }
        UnderscoresAction? action = null;
        if (config.HeadersWithUnderscoresAction is { } text)
        {
            action = EnumNames.Read<UnderscoresAction>(text);
            if (action is null)
            {
                // What was meant was to keep such headers away from upstreams that read a dash for an underscore.
                action = UnderscoresAction.RejectRequest;
                findings.Error(
                    module.Resource,
                    FindingCodes.InvalidFieldValue,
                    "spec.config.headers_with_underscores_action",
                    $"'{text}' is none of ALLOW, REJECT_REQUEST and DROP_HEADER; requests with such headers are rejected");
            }
        }
        if (idle is null && action is null) return null;
        return new CoreV3.HttpProtocolOptions { IdleTimeout = idle, HeadersWithUnderscoresAction = action ?? UnderscoresAction.Allow };
    }

    /// <summary>A value that is not known leaves Envoy's default, which drops what clients claim about certificates.</summary>
    private static void AddClientCertificate(HcmV3.HttpConnectionManager manager, ModulePlan module, FindingSink findings)
    {
        if (module.Config.ForwardClientCertDetails is { } text)
        {
            if (EnumNames.Read<HcmV3.HttpConnectionManager.Types.ForwardClientCertDetails>(text) is { } forward) manager.ForwardClientCertDetails = forward;
            else
            {
                findings.Error(
                    module.Resource,
                    FindingCodes.InvalidFieldValue,
                    "spec.config.forward_client_cert_details",
                    $"'{text}' is none of SANITIZE, FORWARD_ONLY, APPEND_FORWARD, SANITIZE_SET and ALWAYS_FORWARD_ONLY; SANITIZE is used");
            }
        }
        if (module.Config.SetCurrentClientCertDetails is { } details)
        {
            manager.SetCurrentClientCertDetails = new HcmV3.HttpConnectionManager.Types.SetCurrentClientCertDetails
            {
                Subject = details.Subject,
                Cert = details.Cert ?? false,
                Chain = details.Chain ?? false,
                Dns = details.Dns ?? false,
                Uri = details.Uri ?? false,
            };
        }
    }
}

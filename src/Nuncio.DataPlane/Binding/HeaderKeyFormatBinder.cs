using Nuncio.DataPlane.Http.Http1;
using PreserveCaseV3 = Envoy.Extensions.Http.HeaderFormatters.PreserveCase.V3.PreserveCaseFormatterConfig;

namespace Nuncio.DataPlane.Binding;

/// <summary>Reads <c>header_key_format</c>, the same for clients and upstreams.</summary>
internal static class HeaderKeyFormatBinder
{
    /// <summary>The form of names, and whether peers' spellings are kept. What cannot be done is an error where <paramref name="errors"/> is given.</summary>
    public static (Http1HeaderCase Case, bool Preserves, bool CapitalisesOthers) Bind(
        CoreV3.Http1ProtocolOptions.Types.HeaderKeyFormat? message, string path = "", BindErrors? errors = null)
    {
        switch (message?.HeaderFormatCase)
        {
            case CoreV3.Http1ProtocolOptions.Types.HeaderKeyFormat.HeaderFormatOneofCase.ProperCaseWords:
                return (Http1HeaderCase.ProperCaseWords, false, false);
            case CoreV3.Http1ProtocolOptions.Types.HeaderKeyFormat.HeaderFormatOneofCase.StatefulFormatter:
                if (message.StatefulFormatter.TypedConfig is not { } any || !any.TryRead<PreserveCaseV3>(out var preserve))
                {
                    errors?.Add(path + ".stateful_formatter", "Only the preserve_case formatter is supported.");
                    return default;
                }

                if (preserve.ForwardReasonPhrase)
                {
                    errors?.AddPartial(path + ".stateful_formatter.typed_config.forward_reason_phrase", "Reason phrases are those of the status.");
                }

                return (Http1HeaderCase.Lower, true, preserve.FormatterTypeOnEnvoyHeaders == PreserveCaseV3.Types.FormatterTypeOnEnvoyHeaders.ProperCase);
            default:
                return default;
        }
    }
}

using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Validation;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>Reads the redirect of a Mapping with <c>host_redirect</c> (SPEC 5.7).</summary>
internal static class RedirectReader
{
    /// <param name="resource">The Mapping.</param>
    /// <param name="host">The service after qualification: what the client is sent to.</param>
    /// <param name="module">For the size of regular expressions.</param>
    /// <param name="findings">What is wrong.</param>
    /// <returns>Null where a part of it cannot stand in a header: the Mapping has to be left out.</returns>
    public static RouteV3.RedirectAction? Read(MappingResource resource, string host, ModulePlan module, FindingSink findings)
    {
        var spec = resource.Spec;
        var isValue = IsValue("spec.service", host);
        isValue &= IsValue("spec.path_redirect", spec.PathRedirect);
        isValue &= IsValue("spec.prefix_redirect", spec.PrefixRedirect);
        if (!isValue)
            return null;

        var action = new RouteV3.RedirectAction { HostRedirect = host };
        var code = spec.RedirectResponseCode ?? 301;
        if (Code(code) is { } known)
            action.ResponseCode = known;
        else
            findings.Error(
                resource, FindingCodes.InvalidFieldValue, "spec.redirect_response_code", $"{code} is not one of 301, 302, 303, 307, 308; 301 is used");

        var hasPath = !string.IsNullOrEmpty(spec.PathRedirect);
        var hasPrefix = !string.IsNullOrEmpty(spec.PrefixRedirect);
        if (hasPath)
            action.PathRedirect = spec.PathRedirect;
        if (hasPrefix && hasPath)
            Ignored("spec.prefix_redirect", "path_redirect");
        else if (hasPrefix)
            action.PrefixRewrite = spec.PrefixRedirect;
        if (spec.RegexRedirect is { } regex && (hasPath || hasPrefix))
            Ignored("spec.regex_redirect", hasPath ? "path_redirect" : "prefix_redirect");
        else if (spec.RegexRedirect is { } alone)
            action.RegexRewrite = RegexSubstitutions.Read(resource, "spec.regex_redirect", alone, module.RegexMaxSize, findings);
        return action;

        bool IsValue(string field, string? value)
        {
            if (value is null || HeaderRules.IsValue(value))
                return true;
            findings.Error(
                resource, FindingCodes.InvalidFieldValue, field, "it holds a line break or a NUL, which no location can have; the Mapping is left out");
            return false;
        }

        void Ignored(string field, string winner) =>
            findings.Error(resource, FindingCodes.MutuallyExclusive, field, $"it stands beside {winner}, which is used; this one is ignored");
    }

    private static RouteV3.RedirectAction.Types.RedirectResponseCode? Code(int code) => code switch
    {
        301 => RouteV3.RedirectAction.Types.RedirectResponseCode.MovedPermanently,
        302 => RouteV3.RedirectAction.Types.RedirectResponseCode.Found,
        303 => RouteV3.RedirectAction.Types.RedirectResponseCode.SeeOther,
        307 => RouteV3.RedirectAction.Types.RedirectResponseCode.TemporaryRedirect,
        308 => RouteV3.RedirectAction.Types.RedirectResponseCode.PermanentRedirect,
        _ => null,
    };
}

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>Checks rate-limit labels (SPEC 9.4).</summary>
internal static class LabelReader
{
    /// <summary>The labels without the groups that Envoy would refuse, each of which gives a finding.</summary>
    public static ValueMap<ValueList<LabelGroup>>? Read(Resource owner, ValueMap<ValueList<LabelGroup>>? labels, FindingSink findings)
    {
        foreach (var (domain, groups) in labels ?? ValueMap<ValueList<LabelGroup>>.Empty)
            for (var i = 0; i < groups.Count; i++)
                ReportOmission(owner, $"spec.labels.{domain}[{i}]", groups[i].Specifiers, findings);
        if (labels is null || labels.Entries.All(domain => domain.Value.All(group => group.Specifiers.All(IsComplete))))
            return labels;
        foreach (var (domain, groups) in labels)
            for (var i = 0; i < groups.Count; i++)
                if (!groups[i].Specifiers.All(IsComplete))
                    findings.Error(
                        owner, FindingCodes.InvalidFieldValue, $"spec.labels.{domain}[{i}]",
                        "a specifier has an empty key, header name or value; the group is ignored");
        return ValueMap.Create(labels.Entries.Select(domain =>
            KeyValuePair.Create(domain.Key, domain.Value.Where(group => group.Specifiers.All(IsComplete)).ToValueList())));
    }

    /// <summary>The specifiers that can be used; the others give a finding.</summary>
    public static ValueList<LabelSpecifier> Complete(Resource owner, string field, ValueList<LabelSpecifier> specifiers, FindingSink findings)
    {
        ReportOmission(owner, field, specifiers, findings);
        if (specifiers.All(IsComplete))
            return specifiers;
        findings.Error(owner, FindingCodes.InvalidFieldValue, field, "a specifier has an empty key, header name or value; it is ignored");
        return specifiers.Where(IsComplete).ToValueList();
    }

    /// <summary>Limits that were never asked for would be the result of leaving out only the header, so it is as in Emissary (SPEC 9.4).</summary>
    private static void ReportOmission(Resource owner, string field, ValueList<LabelSpecifier> specifiers, FindingSink findings)
    {
        foreach (var specifier in specifiers)
        {
            if (specifier is not RequestHeaderSpecifier { OmitIfNotPresent: true } header)
                continue;
            findings.Warning(
                owner, FindingCodes.FieldWithoutEffect, field,
                $"omit_if_not_present has no effect: a request without the header '{header.HeaderName}' is not counted by this group at all");
        }
    }

    private static bool IsComplete(LabelSpecifier specifier) => specifier switch
    {
        RequestHeaderSpecifier header => header.Key.Length > 0 && Validation.HeaderRules.IsToken(header.HeaderName),
        GenericKeySpecifier generic => generic.Value.Length > 0,
        _ => true,
    };
}

using Nuncio.Compiler.Validation;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>Checks the headers that a Mapping adds and removes; what Envoy would refuse becomes a finding and is left out.</summary>
internal static class HeaderAdditions
{
    public static ValueMap<AddedHeader> Added(Resource? owner, string field, ValueMap<AddedHeader>? headers, FindingSink findings)
    {
        if (headers is null || headers.Count == 0)
            return ValueMap<AddedHeader>.Empty;
        List<KeyValuePair<string, AddedHeader>>? good = null;
        for (var i = 0; i < headers.Count; i++)
        {
            var (name, header) = headers.Entries[i];
            var problem = !HeaderRules.IsModifiable(name) ? $"'{name}' is not a header that can be added" : FormatRules.Problem(header.Value ?? "");
            if (problem is null)
            {
                good?.Add(headers.Entries[i]);
                continue;
            }

            findings.Error(owner, FindingCodes.InvalidHeader, $"{field}.{name}", $"{problem}; the header is not added");
            good ??= [.. headers.Entries.Take(i)];
        }

        return good is null ? headers : ValueMap.Create(good);
    }

    public static ValueList<string>? Removed(Resource? owner, string field, ValueList<string>? names, FindingSink findings)
    {
        if (names is null || names.Count == 0)
            return names;
        List<string>? good = null;
        for (var i = 0; i < names.Count; i++)
        {
            if (HeaderRules.IsModifiable(names[i]))
            {
                good?.Add(names[i]);
                continue;
            }

            findings.Error(owner, FindingCodes.InvalidHeader, $"{field}[{i}]", $"'{names[i]}' is not a header that can be removed");
            good ??= [.. names.Take(i)];
        }

        return good is null ? names : good.ToValueList();
    }
}

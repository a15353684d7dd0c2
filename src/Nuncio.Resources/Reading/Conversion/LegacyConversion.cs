using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading.Conversion;

/// <summary>
/// Turns the spec of a v1 or v2 object into that of v3alpha1 (spec section 3). v1 differs from v2 in nothing that concerns reading. What has no place in
/// v3alpha1, or an unexpected type, is passed on as it is, so that reading the result reports it.
/// </summary>
internal static class LegacyConversion
{
    private const string IdPrefix = "--apiVersion-v3alpha1-only--";
    private const string NoHost = "_skip_mapping_with_empty_host_";

    public static MapNode Convert(string kind, MapNode spec)
    {
        var fields = new FieldEditor(spec);
        fields.Change("ambassador_id", AmbassadorId);
        switch (kind)
        {
            case "Host":
                Host(fields);
                break;
            case "Mapping":
                Mapping(fields);
                break;
            case "TCPMapping":
                fields.Rename("v3StatsName", "stats_name");
                TlsOrigination(fields, "service");
                break;
            case "TLSContext":
                fields.Rename("v3CRLSecret", "crl_secret");
                break;
            case "AuthService":
                fields.Rename("v3StatsName", "stats_name");
                fields.Rename("v3CircuitBreakers", "circuit_breakers");
                TlsOrigination(fields, "auth_service");
                break;
            case "RateLimitService":
                fields.Rename("v3StatsName", "stats_name");
                fields.Rename("v3GRPC", "grpc");
                TlsOrigination(fields, "service");
                break;
            case "LogService":
                fields.Rename("v3StatsName", "stats_name");
                fields.Rename("v3ProtocolVersion", "protocol_version");
                break;
            case "TracingService":
                TracingService(fields);
                break;
        }

        return fields.ToNode();
    }

    private static Node AmbassadorId(Node value) => value switch
    {
        ScalarNode { Kind: ScalarKind.Text } id => NodeFactory.List(id, [WithoutPrefix(id)]),
        ListNode list => NodeFactory.List(list, [.. list.Items.Select(item => item is ScalarNode { Kind: ScalarKind.Text } id ? WithoutPrefix(id) : item)]),
        _ => value,
    };

    private static ScalarNode WithoutPrefix(ScalarNode id) =>
        id.Text.StartsWith(IdPrefix, StringComparison.Ordinal) ? NodeFactory.Text(id, id.Text[IdPrefix.Length..]) : id;

    private static void Host(FieldEditor fields)
    {
        if (fields.Take("ambassadorId") is { } deprecated)
        {
            var added = AmbassadorId(deprecated);
            var own = fields.Find("ambassador_id") as ListNode;
            var addedItems = added is ListNode list ? list.Items : [added];
            fields.Set("ambassador_id", NodeFactory.List(deprecated, [.. own?.Items ?? [], .. addedItems]));
        }

        fields.Rename("selector", "mappingSelector");
        fields.Change("tls", static tls => Edit(tls, static t => t.Rename("v3CRLSecret", "crl_secret")));
    }

    private static void Mapping(FieldEditor fields)
    {
        fields.Rename("v3StatsName", "stats_name");
        fields.Rename("v3health_checks", "health_checks");
        Hostname(fields);
        BooleanMatches(fields, "headers", "regex_headers");
        BooleanMatches(fields, "query_parameters", "regex_query_parameters");
        fields.Change("add_request_headers", AddedHeaders);
        fields.Change("add_response_headers", AddedHeaders);
        fields.Change("remove_request_headers", OneToList);
        fields.Change("remove_response_headers", OneToList);
        fields.Change("cors", static cors => Edit(cors, static c =>
        {
            c.Change("origins", static origins => origins is ScalarNode { Kind: ScalarKind.Text } text
                ? NodeFactory.List(text, [.. text.Text.Split(',').Select(origin => NodeFactory.Text(text, origin))])
                : origins);
            c.Change("methods", OneToList);
            c.Change("headers", OneToList);
            c.Change("exposed_headers", OneToList);
        }));
        fields.Change("labels", static labels => EachValue(labels, static groups => EachItem(groups, static group =>
            EachValue(group, static specifiers => EachItem(specifiers, LabelSpecifierConversion.Convert)))));
        TlsOrigination(fields, "service");
    }

    private static void Hostname(FieldEditor fields)
    {
        var host = fields.Take("host");
        var isRegex = fields.Find("host_regex") is ScalarNode { Kind: ScalarKind.Boolean, BooleanValue: true };
        if (isRegex)
        {
            if (host is not null)
                fields.Set("host", host);
            return;
        }

        fields.Take("host_regex");
        switch (host)
        {
            case null or ScalarNode { Kind: ScalarKind.Text, Text: "" }:
                fields.Set("hostname", NodeFactory.Text(host ?? fields.Origin, "*"));
                break;
            case ScalarNode { Kind: ScalarKind.Text, Text: NoHost }:
                break;
            default:
                fields.Set("hostname", host);
                break;
        }
    }

    /// <summary>The value <c>true</c> of a header or query parameter means that it must be there, with any value; <c>false</c> means nothing.</summary>
    private static void BooleanMatches(FieldEditor fields, string exact, string regex)
    {
        if (fields.Find(exact) is not MapNode map)
            return;
        var texts = new List<Entry>();
        var patterns = fields.Find(regex) is MapNode { Entries: var written } ? new List<Entry>(written) : [];
        var changed = false;
        foreach (var entry in map.Entries)
        {
            if (entry.Value is not ScalarNode { Kind: ScalarKind.Boolean } flag)
            {
                texts.Add(entry);
                continue;
            }

            changed = true;
            if (flag.BooleanValue && !patterns.Exists(p => p.Key.Text == entry.Key.Text))
                patterns.Add(new Entry(entry.Key, NodeFactory.Text(flag, ".*")));
        }

        if (!changed)
            return;
        fields.Set(exact, NodeFactory.Map(map, texts));
        if (patterns.Count > 0)
            fields.Set(regex, NodeFactory.Map(map, patterns));
    }

    private static Node AddedHeaders(Node headers) => EachValue(headers, static value => value switch
    {
        ScalarNode { Kind: ScalarKind.Text } text => NodeFactory.Map(text, [NodeFactory.Entry(text, "value", text)]),
        ScalarNode { Kind: ScalarKind.Null } => NodeFactory.Map(value, []),
        _ => value,
    });

    private static Node OneToList(Node value) => value is ScalarNode { Kind: ScalarKind.Text } ? NodeFactory.List(value, [value]) : value;

    /// <summary>v2's <c>tls</c> is a name, a boolean or null; v3alpha1 says with the scheme of the service what the boolean said.</summary>
    private static void TlsOrigination(FieldEditor fields, string serviceField)
    {
        if (fields.Find("tls") is not ScalarNode { Kind: ScalarKind.Boolean or ScalarKind.Null } tls)
            return;
        fields.Take("tls");
        if (!tls.BooleanValue || fields.Find(serviceField) is not ScalarNode { Kind: ScalarKind.Text } service)
            return;
        if (service.Text.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
            return;
        var bare = service.Text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? service.Text["http://".Length..] : service.Text;
        fields.Set(serviceField, NodeFactory.Text(service, "https://" + bare));
    }

    private static void TracingService(FieldEditor fields)
    {
        fields.Rename("v3StatsName", "stats_name");
        fields.Rename("v3CustomTags", "custom_tags");
        fields.Change("config", static config => Edit(config, static c => c.Rename("v3PropagationModes", "propagation_modes")));
        if (fields.Find("tag_headers") is not ListNode headers || fields.Find("custom_tags") is not null)
            return;
        fields.Take("tag_headers");
        fields.Set("custom_tags", NodeFactory.List(headers, [.. headers.Items.Select(header => header is ScalarNode name
            ? NodeFactory.Map(
                name,
                [
                    NodeFactory.Entry(name, "tag", name),
                    NodeFactory.Entry(name, "request_header", NodeFactory.Map(name, [NodeFactory.Entry(name, "name", name)])),
                ])
            : header)]));
    }

    private static Node Edit(Node node, Action<FieldEditor> edit)
    {
        if (node is not MapNode map)
            return node;
        var editor = new FieldEditor(map);
        edit(editor);
        return editor.ToNode();
    }

    private static Node EachValue(Node node, Func<Node, Node> convert) => node is MapNode map
        ? NodeFactory.Map(map, [.. map.Entries.Select(entry => entry with { Value = convert(entry.Value) })])
        : node;

    private static Node EachItem(Node node, Func<Node, Node> convert) =>
        node is ListNode list ? NodeFactory.List(list, [.. list.Items.Select(convert)]) : node;
}

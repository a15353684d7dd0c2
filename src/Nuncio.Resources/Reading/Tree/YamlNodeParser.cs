using Nuncio.Resources.Findings;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Nuncio.Resources.Reading.Tree;

/// <summary>Reads the documents of one YAML text into nodes. Throws <see cref="DocumentException"/> for what is not YAML or exceeds the limits.</summary>
internal sealed class YamlNodeParser
{
    private readonly Parser _parser;
    private readonly ReadingLimits _limits;
    private readonly TextPosition _origin;
    private readonly Dictionary<string, (Node Node, int Weight)> _anchors = new(StringComparer.Ordinal);
    private int _nodes;

    private YamlNodeParser(string text, TextPosition origin, ReadingLimits limits)
    {
        _parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
        _origin = origin;
        _limits = limits;
    }

    /// <summary>Two equal names in one map: name and place of the second.</summary>
    public List<ScalarNode> DuplicateKeys { get; } = [];

    public static List<Node> Parse(string text, TextPosition origin, ReadingLimits limits, out List<ScalarNode> duplicateKeys)
    {
        var parser = new YamlNodeParser(text, origin, limits);
        duplicateKeys = parser.DuplicateKeys;
        try
        {
            return parser.ParseStream();
        }
        catch (YamlException e)
        {
            var message = e.InnerException is null ? e.Message : e.Message + ": " + e.InnerException.Message;
            throw new DocumentException(FindingCodes.DocumentUnreadable, message, origin.LineOf(e.Start), origin.ColumnOf(e.Start));
        }
        catch (Exception e) when (e is not DocumentException)
        {
            // The scanner's own way of giving up on some damaged inputs: it must not take the other documents with it.
            throw new DocumentException(FindingCodes.DocumentUnreadable, "This is not YAML: " + e.Message, origin.Line, origin.Column);
        }
    }

    private List<Node> ParseStream()
    {
        var documents = new List<Node>();
        _parser.MoveNext();
        while (_parser.MoveNext() && _parser.Current is not StreamEnd)
        {
            if (_parser.Current is not DocumentStart)
                continue;
            _parser.MoveNext();
            _anchors.Clear();
            _nodes = 0;
            documents.Add(ParseNode(0));
        }

        return documents;
    }

    private Node ParseNode(int depth)
    {
        var current = _parser.Current!;
        if (depth > _limits.MaxDepth)
            throw Limit(current, $"Nested deeper than {_limits.MaxDepth} levels");
        var before = _nodes;
        Count(1, current);
        Node node;
        switch (current)
        {
            case Scalar scalar:
                node = ToScalar(scalar);
                break;
            case SequenceStart:
                node = ParseSequence(current, depth);
                break;
            case MappingStart:
                node = ParseMapping(current, depth);
                break;
            case AnchorAlias alias:
                if (!_anchors.TryGetValue(alias.Value.Value, out var target))
                    throw Failure(current, $"The alias *{alias.Value} has no anchor before it");
                Count(target.Weight, current);
                return target.Node;
            default:
                throw Failure(current, "Unexpected " + current.GetType().Name);
        }

        if (current is NodeEvent { Anchor.IsEmpty: false } anchored)
            _anchors[anchored.Anchor.Value] = (node, _nodes - before);
        return node;
    }

    private ListNode ParseSequence(ParsingEvent start, int depth)
    {
        var items = new List<Node>();
        while (_parser.MoveNext() && _parser.Current is not SequenceEnd)
            items.Add(ParseNode(depth + 1));
        return new ListNode(items, _origin.LineOf(start.Start), _origin.ColumnOf(start.Start));
    }

    private MapNode ParseMapping(ParsingEvent start, int depth)
    {
        var entries = new EntryListBuilder();
        List<Node>? merged = null;
        while (_parser.MoveNext() && _parser.Current is not MappingEnd)
        {
            if (ParseNode(depth + 1) is not ScalarNode key)
                throw Failure(_parser.Current, "A name in an object must not be a list or an object");
            _parser.MoveNext();
            var value = ParseNode(depth + 1);
            if (key.Text == "<<" && value is (MapNode or ListNode))
                (merged ??= []).Add(value);
            else if (entries.Add(new Entry(key, value)))
                DuplicateKeys.Add(key);
        }

        if (merged is not null)
            Merge(entries.Entries, merged, start);
        return new MapNode(entries.Entries, _origin.LineOf(start.Start), _origin.ColumnOf(start.Start));
    }

    private void Merge(List<Entry> entries, List<Node> merged, ParsingEvent start)
    {
        var own = new HashSet<string>(entries.Select(e => e.Key.Text), StringComparer.Ordinal);
        foreach (var map in merged.SelectMany(node => node is ListNode list ? list.Items : [node]))
        {
            if (map is not MapNode { Entries: var inherited })
                throw Failure(start, "'<<' must be followed by an object or a list of objects");
            Count(inherited.Count, start);
            entries.AddRange(inherited.Where(e => own.Add(e.Key.Text)));
        }
    }

    private ScalarNode ToScalar(Scalar scalar)
    {
        var isPlain = scalar.Style == ScalarStyle.Plain;
        var kind = scalar.Tag.IsEmpty || scalar.Tag.IsNonSpecific
            ? isPlain ? YamlScalar.KindOf(scalar.Value) : ScalarKind.Text
            : KindOfTag(scalar);
        return new ScalarNode(scalar.Value, kind, _origin.LineOf(scalar.Start), _origin.ColumnOf(scalar.Start))
        {
            IsBlock = scalar.Style is ScalarStyle.Literal,
        };
    }

    private static ScalarKind KindOfTag(Scalar scalar) => scalar.Tag.Value switch
    {
        "tag:yaml.org,2002:null" => ScalarKind.Null,
        "tag:yaml.org,2002:bool" => ScalarKind.Boolean,
        "tag:yaml.org,2002:int" => ScalarKind.Integer,
        "tag:yaml.org,2002:float" => ScalarKind.Float,
        _ => ScalarKind.Text,
    };

    private void Count(int nodes, ParsingEvent at)
    {
        _nodes += nodes;
        if (_nodes > _limits.MaxNodes || _nodes < 0)
            throw Limit(at, $"More than {_limits.MaxNodes} values once the aliases are expanded");
    }

    private DocumentException Failure(ParsingEvent? at, string message) => Fail(FindingCodes.DocumentUnreadable, at, message);

    private DocumentException Limit(ParsingEvent at, string message) => Fail(FindingCodes.DocumentTooLarge, at, message);

    private DocumentException Fail(string code, ParsingEvent? at, string message) =>
        new(code, message, _origin.LineOf(at?.Start ?? Mark.Empty), _origin.ColumnOf(at?.Start ?? Mark.Empty));
}

using Nuncio.DataPlane.External;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>What the service said.</summary>
internal enum ExtAuthzDecision : byte
{
    /// <summary>The request may go on.</summary>
    Ok,

    /// <summary>It may not.</summary>
    Denied,

    /// <summary>It could not be asked, or failed.</summary>
    Error,

    /// <summary>It answered something that cannot be followed.</summary>
    Invalid,
}

/// <summary>What is done with a header that the service names.</summary>
internal enum ExtAuthzHeaderUse : byte
{
    /// <summary>The request's becomes this.</summary>
    SetInRequest,

    /// <summary>Where the request has one, this is appended.</summary>
    AppendInRequest,

    /// <summary>The response gets this as well.</summary>
    AddToResponse,

    /// <summary>The response's becomes this.</summary>
    SetInResponse,

    /// <summary>The response gets this where it has none.</summary>
    AddToResponseIfAbsent,

    /// <summary>The response's becomes this where it has one.</summary>
    OverwriteInResponse,

    /// <summary>The refusal has this.</summary>
    InRefusal,
}

/// <summary>One header that the service names.</summary>
internal readonly record struct ExtAuthzHeader(ExtAuthzHeaderUse Use, byte[] Name, byte[] Value);

/// <summary>The service's answer to one request, checked and bounded.</summary>
internal sealed class ExtAuthzVerdict
{
    private const int MaxHeaders = 200;
    private const int MaxHeaderBytes = 128 * 1024;

    private List<ExtAuthzHeader>? _headers;
    private List<byte[]>? _remove;
    private int _headerBytes;

    /// <summary>What it said.</summary>
    public ExtAuthzDecision Decision { get; set; }

    /// <summary>The status of a refusal.</summary>
    public int Status { get; set; } = 403;

    /// <summary>The body of a refusal.</summary>
    public ReadOnlyMemory<byte> Body { get; set; }

    /// <summary>Headers, in the service's order.</summary>
    public IReadOnlyList<ExtAuthzHeader> Headers => _headers ?? (IReadOnlyList<ExtAuthzHeader>)[];

    /// <summary>Headers that the request loses.</summary>
    public IReadOnlyList<byte[]> Remove => _remove ?? (IReadOnlyList<byte[]>)[];

    /// <summary>Query parameters that are set; null for none.</summary>
    public List<(string Name, string Value)>? SetQuery { get; set; }

    /// <summary>Query parameters that are removed; null for none.</summary>
    public List<string>? RemoveQuery { get; set; }

    /// <summary>What the service tells the filters behind it and the logs; null for nothing.</summary>
    public Google.Protobuf.WellKnownTypes.Struct? Metadata { get; set; }

    /// <summary>The request is changed.</summary>
    public bool ChangesRequest
    {
        get
        {
            if (_remove is { Count: > 0 } || SetQuery is not null || RemoveQuery is not null)
            {
                return true;
            }

            for (var i = 0; i < Headers.Count; i++)
            {
                if (Headers[i].Use <= ExtAuthzHeaderUse.AppendInRequest)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Takes a header; one that is none, or too much, makes the answer invalid. Headers of framing are left out.</summary>
    /// <param name="use">What is done with it.</param>
    /// <param name="name">In lower case.</param>
    /// <param name="value">Its value.</param>
    public void Add(ExtAuthzHeaderUse use, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.SequenceEqual("host"u8))
        {
            name = ":authority"u8;
        }

        if (HeaderValues.IsFraming(name))
        {
            return;
        }

        var isPseudo = use <= ExtAuthzHeaderUse.AppendInRequest
            && (name.SequenceEqual(":path"u8) || name.SequenceEqual(":authority"u8) || name.SequenceEqual(":method"u8));
        _headerBytes += name.Length + value.Length;
        _headers ??= [];
        if ((!isPseudo && !HeaderValues.IsName(name)) || (isPseudo && value.IsEmpty) || !HeaderValues.IsValue(value) || _headers.Count >= MaxHeaders
            || _headerBytes > MaxHeaderBytes)
        {
            Decision = ExtAuthzDecision.Invalid;
            return;
        }

        _headers.Add(new ExtAuthzHeader(use, name.ToArray(), value.ToArray()));
    }

    /// <summary>Takes the name of a header to remove; those without which there is no request stay.</summary>
    public void AddRemoval(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || name[0] == (byte)':' || name.SequenceEqual("host"u8) || HeaderValues.IsFraming(name))
        {
            return;
        }

        _remove ??= [];
        if (_remove.Count >= MaxHeaders)
        {
            Decision = ExtAuthzDecision.Invalid;
            return;
        }

        _remove.Add(name.ToArray());
    }
}

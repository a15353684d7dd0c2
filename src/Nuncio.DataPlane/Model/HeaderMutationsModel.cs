using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Model;

/// <summary>Headers to remove, then to set or add: what one level (route, virtual host, ...) does to a message's headers.</summary>
public sealed class HeaderMutationsModel
{
    /// <summary>No change.</summary>
    public static HeaderMutationsModel None { get; } = new();

    /// <summary>Names to remove, lower-case, before anything is added.</summary>
    public IReadOnlyList<byte[]> Remove { get; init; } = [];

    /// <summary>What to add or set, in order.</summary>
    public IReadOnlyList<HeaderMutation> Add { get; init; } = [];

    /// <summary>Nothing to do.</summary>
    public bool IsEmpty => Remove.Count == 0 && Add.Count == 0;
}

/// <summary>One header to add or set (core.v3.HeaderValueOption).</summary>
public sealed class HeaderMutation
{
    /// <summary>Lower-case.</summary>
    public required byte[] Name { get; init; }

    /// <summary>Which known header it is, or None.</summary>
    public KnownHeader Known { get; init; }

    /// <summary>Makes the value.</summary>
    public required SubstitutionFormat Value { get; init; }

    /// <summary>What happens where the header is there already, or is not.</summary>
    public CoreV3.HeaderValueOption.Types.HeaderAppendAction Action { get; init; }

    /// <summary>An empty value is added as well; otherwise it is skipped.</summary>
    public bool KeepEmptyValue { get; init; }
}

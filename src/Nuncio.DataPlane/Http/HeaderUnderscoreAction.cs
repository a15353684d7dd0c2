namespace Nuncio.DataPlane.Http;

/// <summary>What happens to header names with an underscore, which other servers take for a dash.</summary>
public enum HeaderUnderscoreAction : byte
{
    /// <summary>They pass.</summary>
    Allow,

    /// <summary>The request is answered 400, or its stream refused.</summary>
    RejectRequest,

    /// <summary>The field is dropped.</summary>
    DropHeader,
}

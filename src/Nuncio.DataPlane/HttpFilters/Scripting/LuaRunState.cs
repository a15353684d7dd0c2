namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>Where a script's run stands.</summary>
internal enum LuaRunState : byte
{
    /// <summary>It has ended.</summary>
    Done,

    /// <summary>It waits for what it asked for.</summary>
    Waiting,

    /// <summary>It failed, or took more than it may.</summary>
    Failed,
}

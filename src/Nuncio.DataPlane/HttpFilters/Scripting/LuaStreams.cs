namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>What scripts still have to do with one request while its bodies go by.</summary>
internal sealed class LuaStreams
{
    /// <summary>The script that sees the request's body go by; null for none.</summary>
    public LuaRequestChunks? Request { get; set; }

    /// <summary>The script that sees the response's body go by; null for none.</summary>
    public LuaResponseChunks? Response { get; set; }

    /// <summary>The script that the response waits for; null for none.</summary>
    public LuaHeldResponse? Held { get; set; }

    /// <summary>The request is over.</summary>
    public void End()
    {
        Request?.End();
        Response?.End();
        Held?.GiveUp();
    }
}

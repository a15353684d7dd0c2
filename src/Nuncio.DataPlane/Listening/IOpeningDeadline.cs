namespace Nuncio.DataPlane.Listening;

/// <summary>How long a connection may take to show what it speaks, moved on as its first bytes come. It ends with the connection's session.</summary>
internal interface IOpeningDeadline
{
    /// <summary>So long from now; zero for no limit.</summary>
    void Set(TimeSpan limit);
}

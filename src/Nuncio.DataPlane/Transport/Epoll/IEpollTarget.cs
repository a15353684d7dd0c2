namespace Nuncio.DataPlane.Transport.Epoll;

/// <summary>Who is told what a loop hears of a descriptor. On the loop's thread: must not block, and no exception may leave.</summary>
internal interface IEpollTarget
{
    /// <summary>The kernel's report.</summary>
    void OnEvents(uint events);

    /// <summary>It was posted by <see cref="EpollLoop.Post"/>.</summary>
    void OnPosted();
}

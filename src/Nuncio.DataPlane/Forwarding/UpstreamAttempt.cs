using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Upstream;

namespace Nuncio.DataPlane.Forwarding;

/// <summary>
/// One try on one stream. Counted, since the request's pump, a timer or an abort may hold the stream at the moment the request ends: it goes
/// back to its connection only when nobody can touch it any more.
/// </summary>
internal sealed class UpstreamAttempt(ForwardState owner)
{
    private int _references;

    public HttpClientStream Stream { get; private set; } = null!;

    public EndpointPool Pool { get; private set; } = null!;

    public EndpointState Endpoint { get; private set; } = null!;

    public void Begin(HttpClientStream stream, EndpointPool pool, EndpointState endpoint)
    {
        Stream = stream;
        Pool = pool;
        Endpoint = endpoint;
        Volatile.Write(ref _references, 1);
    }

    /// <summary>Under the owner's lock, which also guards that the attempt is still the current one.</summary>
    public void AddReference() => Interlocked.Increment(ref _references);

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            var stream = Stream;
            var pool = Pool;
            Stream = null!;
            owner.Recycle(this);
            pool.Finish(stream);
        }
    }
}

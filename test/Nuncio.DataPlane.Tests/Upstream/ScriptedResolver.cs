using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Upstream;

namespace Nuncio.DataPlane.Tests.Upstream;

/// <summary>Answers what a test says.</summary>
internal sealed class ScriptedResolver : NameResolver
{
    public IPAddress[]? Answer { get; set; }

    public TimeSpan? TimeToLive { get; set; }

    public int Questions { get; private set; }

    public override ValueTask<ResolvedName> ResolveWithTimeToLiveAsync(string name, AddressFamily family, CancellationToken cancellationToken)
    {
        Questions++;
        return new(new ResolvedName(Answer, TimeToLive));
    }

    public override ValueTask<IPAddress[]?> ResolveAsync(string name, AddressFamily family, CancellationToken cancellationToken) => new(Answer);
}

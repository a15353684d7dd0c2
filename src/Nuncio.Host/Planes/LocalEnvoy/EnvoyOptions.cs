using System.Net;

namespace Nuncio.Host.Planes.LocalEnvoy;

/// <summary>The Envoy that a gateway runs.</summary>
public sealed record EnvoyOptions
{
    /// <summary>The program: a path, or a name that is looked for on PATH. Default <c>envoy</c>.</summary>
    public string Program { get; init; } = "envoy";

    /// <summary>
    /// A folder for the bootstrap and the socket between the two, readable by the owner only. A gateway that starts again with the same folder takes over the
    /// Envoy that its predecessor left running. Null: one in the user's run-time folder that belongs to <see cref="Identity"/>.
    /// </summary>
    public string? Folder { get; init; }

    /// <summary>What tells this gateway from others of the same user.</summary>
    public required string Identity { get; init; }

    /// <summary>Where Envoy's administration interface listens. Default 127.0.0.1:8001, as Emissary has it.</summary>
    public IPEndPoint Admin { get; init; } = new(IPAddress.Loopback, 8001);

    /// <summary>How many worker threads; null for Envoy's default, one for each processor (<c>AMBASSADOR_ENVOY_CONCURRENCY</c>).</summary>
    public int? Concurrency { get; init; }

    /// <summary>This process takes connections itself while Envoy is started again. Default true; Linux only.</summary>
    public bool Standby { get; init; } = true;
}

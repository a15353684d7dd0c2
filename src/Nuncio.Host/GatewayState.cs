using System.Collections.Immutable;
using Nuncio.Compiler;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Snapshots;

namespace Nuncio.Host;

/// <summary>What serves now, for health checks, dumps and diagnostics: written by the configuration loop, read by anyone.</summary>
public sealed class GatewayState
{
    private volatile ServingConfiguration? _serving;
    private volatile bool _draining;

    /// <summary>The configuration that serves; null before the first.</summary>
    public ServingConfiguration? Serving => _serving;

    /// <summary>A configuration serves and the process is not about to end.</summary>
    public bool IsReady => _serving is not null && !_draining;

    /// <summary>A new configuration serves.</summary>
    public void Serve(ServingConfiguration configuration) => _serving = configuration;

    /// <summary>The process ends: readiness fails from now on.</summary>
    public void Drain() => _draining = true;
}

/// <summary>One configuration with everything that is known of it.</summary>
/// <param name="Resources">What it was made from.</param>
/// <param name="Compilation">What the compiler made.</param>
/// <param name="Findings">All of it: of the sources, the compiler and the data plane.</param>
public sealed record ServingConfiguration(ResourceSnapshot Resources, CompilationResult Compilation, ImmutableArray<Finding> Findings);

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
    private volatile bool _servesLastGood;

    /// <summary>The configuration that serves; null before the first.</summary>
    public ServingConfiguration? Serving => _serving;

    /// <summary>Whether the data plane has what it should have; set before the first configuration.</summary>
    public Func<bool> DataPlaneServes { private get; set; } = static () => true;

    /// <summary>A configuration serves and the process is not about to end.</summary>
    public bool IsReady => (_serving is not null || _servesLastGood) && !_draining && DataPlaneServes();

    /// <summary>A new configuration serves.</summary>
    public void Serve(ServingConfiguration configuration) => _serving = configuration;

    /// <summary>The configuration that was good before the process started serves until there is a new one.</summary>
    public void ServeLastGood() => _servesLastGood = true;

    /// <summary>The process ends: readiness fails from now on.</summary>
    public void Drain() => _draining = true;
}

/// <summary>One configuration with everything that is known of it.</summary>
/// <param name="Resources">What it was made from.</param>
/// <param name="Compilation">What the compiler made.</param>
/// <param name="Findings">All of it: of the sources, the compiler and the data plane.</param>
public sealed record ServingConfiguration(ResourceSnapshot Resources, CompilationResult Compilation, ImmutableArray<Finding> Findings);

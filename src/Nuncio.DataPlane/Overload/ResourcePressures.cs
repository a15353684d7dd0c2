namespace Nuncio.DataPlane.Overload;

/// <summary>How much of each resource is used: 0 for nothing, 1 for all.</summary>
/// <param name="Memory">Of the memory limit.</param>
/// <param name="Connections">Of the connections that there may be.</param>
/// <param name="Injected">What somebody says, to try it.</param>
public readonly record struct ResourcePressures(double Memory, double Connections, double Injected);

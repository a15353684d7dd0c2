using System.Collections.Frozen;
using Google.Protobuf;

namespace Nuncio.Compiler;

/// <summary>
/// Turns resources into Envoy's messages. A pure function of its options and the snapshot: no clock, no I/O, no logger; the same input gives the same bytes,
/// whatever was compiled before. What it remembers from one call to the next only saves work: unchanged resources give the same message objects.
/// Calls come one at a time.
/// </summary>
public sealed class SnapshotCompiler(CompilerOptions options)
{
    private readonly CompilerMemo _memo = new();
    private XdsSnapshot _last = XdsSnapshot.Empty;

    /// <summary>Compiles a snapshot. Never throws for what a user wrote.</summary>
    public CompilationResult Compile(ResourceSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var context = new CompilerContext(options, snapshot, _memo);
        foreach (var pass in CompilerPasses.InOrder)
            pass.Run(context);

        _last = new XdsSnapshot
        {
            Revision = snapshot.Revision,
            Listeners = Freeze(context.Listeners, _last.Listeners),
            RouteConfigurations = Freeze(context.RouteConfigurations, _last.RouteConfigurations),
            Clusters = Freeze(context.EmittedClusters, _last.Clusters),
            Endpoints = Freeze(context.Endpoints, _last.Endpoints),
            Secrets = Freeze(context.Secrets, _last.Secrets),
            Runtime = context.Runtime,
        };
        return new CompilationResult(_last, context.Findings.ToImmutable(), new Provenance(context.Groups, context.Clusters.Owners, context.ListenerOwners));
    }

    /// <summary>Keeps the objects of the snapshot before where the version is equal, and the whole dictionary where all are.</summary>
    private static FrozenDictionary<string, XdsResource<T>> Freeze<T>(Dictionary<string, XdsResource<T>> now, FrozenDictionary<string, XdsResource<T>> before)
        where T : class, IMessage
    {
        var same = now.Count == before.Count;
        List<XdsResource<T>>? kept = null;
        foreach (var (name, resource) in now)
        {
            if (!before.TryGetValue(name, out var old) || old.Version != resource.Version)
                same = false;
            else if (!ReferenceEquals(old, resource))
                (kept ??= []).Add(old);
        }

        if (same)
            return before;
        foreach (var old in kept ?? [])
            now[old.Name] = old;
        return now.ToFrozenDictionary(StringComparer.Ordinal);
    }
}

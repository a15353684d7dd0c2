using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Features;

/// <summary>
/// One gateway per data plane for all tests of a group: it serves the manifests of the group and of the classes whose constructors take it, with all their
/// tests.
/// </summary>
/// <typeparam name="TGroup">A test class alone, or the definition of a collection of them; its attributes say how it is served.</typeparam>
public class GatewayOf<TGroup> : IAsyncLifetime
{
    private readonly ConcurrentDictionary<DataPlane, Task<FeatureGateway>> _gateways = new();
    private IReadOnlyList<CheckedFinding>? _findings;

    /// <summary>The servers behind it, the same for both data planes.</summary>
    public Upstreams Upstreams { get; } = new();

    /// <summary>The gateway on a data plane. What did not start once does not start the next time.</summary>
    public async Task<FeatureGateway> On(DataPlane plane)
    {
        if (!_gateways.ContainsKey(plane))
        {
            // Side by side: most of a start is waiting.
            foreach (var each in Enum.GetValues<DataPlane>())
                _ = _gateways.GetOrAdd(each, which => Task.Run(() => FeatureGateway.StartAsync(which, Manifests, Upstreams, Variables, Options)));
        }

        return await _gateways[plane];
    }

    /// <summary>What <c>nuncio check</c> says of the manifests.</summary>
    public async Task<IReadOnlyList<CheckedFinding>> FindingsAsync()
    {
        if (_findings is not null) return _findings;
        using var folder = new TemporaryFolder();
        // A port that is only checked needs to be one of its own, no more.
        var ports = new List<string>();
        folder.Write("manifests.yaml", ManifestText.Expand(Manifests, Placeholder));
        return _findings = await CheckedFinding.OfAsync(folder.Path, Variables);

        string Placeholder(string name)
        {
            if (!name.StartsWith("port", StringComparison.Ordinal)) return Upstreams.Placeholder(name);
            if (!ports.Contains(name)) ports.Add(name);
            return (8080 + ports.IndexOf(name)).ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>The codes of the findings on one resource.</summary>
    public async Task<IReadOnlyList<string>> FindingsOnAsync(string resource) =>
        [.. (await FindingsAsync()).Where(finding => finding.Resource == resource).Select(finding => finding.Code)];

    /// <summary>Everything that the class and its tests want served.</summary>
    protected virtual string Manifests
    {
        get
        {
            var takers = typeof(TGroup).Assembly.GetTypes().Where(type => type != typeof(TGroup) && type.GetConstructors().Any(constructor =>
                constructor.GetParameters().Any(parameter => parameter.ParameterType.IsAssignableTo(typeof(GatewayOf<TGroup>)))));
            IEnumerable<MemberInfo> places = takers.Prepend(typeof(TGroup)).SelectMany(type => type.GetMethods().Prepend<MemberInfo>(type));
            return string.Join(
                "\n", places.SelectMany(place => place.GetCustomAttributes<ManifestAttribute>(inherit: false)).Select(manifest => manifest.Text));
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> Variables =>
        typeof(TGroup).GetCustomAttributes<VariableAttribute>().Select(variable => new KeyValuePair<string, string>(variable.Name, variable.Value));

    private static IReadOnlyList<string> Options => typeof(TGroup).GetCustomAttribute<CommandLineAttribute>()?.Words ?? [];

    /// <inheritdoc/>
    public Task InitializeAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        foreach (var gateway in _gateways.Values)
        {
            // One that failed has said so to the tests that asked for it.
            await ((Task)gateway).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (gateway.IsCompletedSuccessfully) await (await gateway).DisposeAsync();
        }

        await Upstreams.DisposeAsync();
    }
}

/// <summary>A finding as <c>nuncio check --format json</c> writes it.</summary>
/// <param name="Code">Its code.</param>
/// <param name="Level">notice, warning or error.</param>
/// <param name="Resource">For instance <c>Mapping/a</c>; empty for what belongs to none.</param>
/// <param name="Field">For instance <c>spec.weight</c>; empty for the whole resource.</param>
public sealed record CheckedFinding(string Code, string Level, string Resource, string Field)
{
    /// <summary>Checks manifests.</summary>
    public static async Task<IReadOnlyList<CheckedFinding>> OfAsync(string path, IEnumerable<KeyValuePair<string, string>>? variables = null)
    {
        var environment = new Dictionary<string, string?>(NuncioCommand.WithoutSettings);
        foreach (var (name, value) in variables ?? []) environment[name] = value;
        await using var check = await Testing.Processes.TestProcess.RunAsync(NuncioCommand.Program, ["check", path, "--format", "json"], environment);
        return Read(string.Join('\n', check.Output));
    }

    /// <summary>Checks manifests in the short forms of <see cref="ManifestText"/>.</summary>
    public static async Task<IReadOnlyList<CheckedFinding>> OfTextAsync(string manifests)
    {
        using var folder = new TemporaryFolder();
        folder.Write("manifests.yaml", ManifestText.Expand(manifests, static name => name));
        return await OfAsync(folder.Path);
    }

    /// <summary>Reads what the command wrote.</summary>
    public static IReadOnlyList<CheckedFinding> Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.GetProperty("findings").EnumerateArray().Select(Read)];
    }

    private static CheckedFinding Read(JsonElement finding)
    {
        var resource = finding.TryGetProperty("resource", out var key) ? $"{key.GetProperty("kind").GetString()}/{key.GetProperty("name").GetString()}" : "";
        var field = finding.TryGetProperty("fieldPath", out var path) ? path.GetString()! : "";
        return new CheckedFinding(finding.GetProperty("code").GetString()!, finding.GetProperty("level").GetString()!, resource, field);
    }
}

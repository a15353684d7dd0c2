using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Nuncio.Testing;
using Nuncio.Testing.Processes;

namespace Nuncio.EndToEndTests.Features.NodePeers;

/// <summary>
/// Clients and servers of another make: the scripts of this folder, on the npm packages <c>@grpc/grpc-js</c> and <c>ws</c> that are installed in the folder
/// that the variable NUNCIO_NODE_MODULES names.
/// </summary>
internal sealed class NodePeer : IAsyncDisposable
{
    private readonly TestProcess _process;

    private NodePeer(TestProcess process, int port)
    {
        _process = process;
        Port = port;
    }

    /// <summary>Where a server listens on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Skips the test where node or the packages are missing. A SkippableFact must ask.</summary>
    public static void Require()
    {
        var folder = Environment.GetEnvironmentVariable("NUNCIO_NODE_MODULES");
        Skip.If(string.IsNullOrEmpty(folder), "NUNCIO_NODE_MODULES is not set");
        // A variable that points nowhere is a mistake, not a missing program.
        if (!Directory.Exists(Modules)) throw new DirectoryNotFoundException($"NUNCIO_NODE_MODULES names {folder}, which has no node_modules");
        TestPaths.RequireProgram("node");
    }

    /// <summary>Starts a script that says where it listens.</summary>
    public static async Task<NodePeer> StartServerAsync(string script)
    {
        var process = TestProcess.Start("node", [ScriptPath(script)], Variables);
        try
        {
            var line = await process.WaitForLineAsync("port ");
            return new NodePeer(process, int.Parse(line.AsSpan("port ".Length), CultureInfo.InvariantCulture));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a client to its end.</summary>
    /// <returns>What each of its conversations got, by name; the conversations that failed have thrown in the script and give its error.</returns>
    public static async Task<IReadOnlyDictionary<string, JsonElement>> ConverseAsync(string script, params IEnumerable<string> arguments)
    {
        await using var process = await TestProcess.RunAsync("node", [ScriptPath(script), .. arguments], Variables);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{script} ended with {process.ExitCode}:\n{process.AllText}");
        var outcomes = new Dictionary<string, JsonElement>();
        foreach (var line in process.Output)
        {
            using var document = JsonDocument.Parse(line);
            var outcome = document.RootElement;
            outcomes.Add(outcome.GetProperty("name").GetString()!, (outcome.TryGetProperty("got", out var got) ? got : outcome).Clone());
        }

        return outcomes;
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static string Modules => Path.Combine(Environment.GetEnvironmentVariable("NUNCIO_NODE_MODULES")!, "node_modules");

    // The scripts lie outside of the folder with the packages, where node alone would not look for them.
    private static Dictionary<string, string?> Variables => new() { ["NODE_PATH"] = Modules, ["NODE_OPTIONS"] = null };

    private static string ScriptPath(string script) => Path.Combine(TestPaths.Repository, "test/Nuncio.EndToEndTests/Features/NodePeers", script + ".js");
}

/// <summary>The outcomes of a client script's conversations through each data plane; it runs once for all tests of a class.</summary>
public sealed class NodeConversations
{
    private readonly ConcurrentDictionary<DataPlane, Lazy<Task<IReadOnlyDictionary<string, JsonElement>>>> _outcomes = new();

    /// <summary>The outcome of one, as JSON without spaces.</summary>
    internal async Task<string> OutcomeAsync(string script, FeatureGateway gateway, string name)
    {
        var outcomes = await _outcomes.GetOrAdd(gateway.Plane, plane => new(() => NodePeer.ConverseAsync(
            script, string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{gateway.Port()}"), plane.ToString()))).Value;
        return outcomes[name].GetRawText();
    }
}

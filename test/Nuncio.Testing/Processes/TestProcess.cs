using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Nuncio.Testing.Processes;

/// <summary>A started program whose output is kept; killed when disposed.</summary>
public sealed partial class TestProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Lock _lock = new();
    private readonly List<string> _output = [];
    private readonly List<string> _errors = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TestProcess(Process process) => _process = process;

    /// <summary>The exit status; throws while it runs.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>It has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>The process id.</summary>
    public int Id => _process.Id;

    /// <summary>The lines of standard output so far.</summary>
    public IReadOnlyList<string> Output => Copy(_output);

    /// <summary>The lines of standard error so far.</summary>
    public IReadOnlyList<string> Errors => Copy(_errors);

    /// <summary>Starts a program.</summary>
    /// <param name="program">Path or name on PATH.</param>
    /// <param name="arguments">Each as it is, no shell.</param>
    /// <param name="environment">Added to that of the test; null values remove.</param>
    /// <param name="folder">The working folder; that of the test when null.</param>
    public static TestProcess Start(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? "",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start };
        var result = new TestProcess(process);
        process.OutputDataReceived += (_, line) => result.Keep(result._output, line.Data);
        process.ErrorDataReceived += (_, line) => result.Keep(result._errors, line.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return result;
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<TestProcess> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null)
    {
        var process = Start(program, arguments, environment, folder);
        try
        {
            await process.WaitForExitAsync(TimeSpan.FromMinutes(4));
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits for a line of either stream that holds the text; fails when the program ends before or the time is up.</summary>
    public async Task<string> WaitForLineAsync(string text, TimeSpan? atMost = null)
    {
        using var limit = new CancellationTokenSource(atMost ?? Until.Limit);
        var ended = false;
        while (true)
        {
            Task more;
            lock (_lock)
            {
                if (_output.Concat(_errors).FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } found) return found;
                more = _more.Task;
            }

            if (ended) throw new InvalidOperationException($"The program ended ({ExitCode}) without a line with '{text}':\n{AllText}");
            try
            {
                // The exit counts once both streams are read to their ends.
                var exit = _process.WaitForExitAsync(limit.Token);
                await Task.WhenAny(more, exit).WaitAsync(limit.Token);
                ended = exit.IsCompletedSuccessfully;
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"No line with '{text}':\n{AllText}");
            }
        }
    }

    /// <summary>Waits until it ends, and returns the exit status.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan? atMost = null)
    {
        using var limit = new CancellationTokenSource(atMost ?? Until.Limit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The program did not end:\n{AllText}");
        }

        return ExitCode;
    }

    /// <summary>Asks it to end, as an orchestrator does.</summary>
    public void Terminate() => Signal(15);

    /// <summary>Sends a signal by its number.</summary>
    public void Signal(int number)
    {
        if (SendSignal(_process.Id, number) != 0) throw new InvalidOperationException($"kill({_process.Id}, {number}) failed: {Marshal.GetLastPInvokeError()}");
    }

    /// <summary>Both streams, for the message of a failed assertion.</summary>
    public string AllText => string.Join('\n', Output.Concat(Errors));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            // Not for the end of its output, which a process that it has started may hold open.
            await Until.TrueAsync(() => _process.HasExited, what: $"the end of process {_process.Id}, which was killed");
        }

        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);

    private void Keep(List<string> lines, string? line)
    {
        TaskCompletionSource more;
        lock (_lock)
        {
            if (line is not null) lines.Add(line);
            more = _more;
            _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        more.SetResult();
    }

    private string[] Copy(List<string> lines)
    {
        lock (_lock) return [.. lines];
    }
}

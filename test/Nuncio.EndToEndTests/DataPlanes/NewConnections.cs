using System.Collections.Concurrent;
using System.Net.Sockets;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.DataPlanes;

/// <summary>
/// Requests on a connection each, of several clients, while a process that serves them is killed now and then. What was on its way in that process may fail;
/// everything else is a fault: a connection that is refused at any time, and one that the client began to open when that process was gone.
/// </summary>
internal sealed class NewConnections : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _faults = new();
    private readonly Task[] _clients;
    private int _right;

    // Odd while a process is being killed.
    private int _time;

    private NewConnections(int port, string target, int clients) => _clients = [.. Enumerable.Range(0, clients).Select(_ => RunAsync(port, target))];

    public IReadOnlyCollection<string> Faults => _faults;

    public static NewConnections Start(int port, string target, int clients = 4) => new(port, target, clients);

    /// <summary>Kills, and waits until the process is gone.</summary>
    public async Task DuringAsync(Func<Task> kill)
    {
        Interlocked.Increment(ref _time);
        await kill();
        Interlocked.Increment(ref _time);
    }

    /// <summary>Waits until so many more were answered with 200.</summary>
    public async Task ContinueAsync(int requests)
    {
        var goal = Volatile.Read(ref _right) + requests;
        await Until.TrueAsync(() => Volatile.Read(ref _right) >= goal, () => string.Join('\n', _faults), $"{requests} more right answers");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
        _stop.Dispose();
    }

    private async Task RunAsync(int port, string target)
    {
        while (!_stop.IsCancellationRequested)
        {
            var time = Volatile.Read(ref _time);
            try
            {
                await using var client = await WireClient.ConnectAsync(port);
                var response = await client.SendAsync("GET", target, "example.com", "connection: close\r\n");
                if (response.Status == 200) Interlocked.Increment(ref _right);
                else _faults.Enqueue(response.StatusLine);
                await Task.Delay(1);
            }
            catch (Exception e) when (e is IOException or SocketException or InvalidDataException or OperationCanceledException)
            {
                // A reset, even before the client has heard that it is connected, comes from who had the connection; nobody had one that is refused.
                var isRefused = e is SocketException { SocketErrorCode: SocketError.ConnectionRefused };
                if (isRefused || (time % 2 == 0 && time == Volatile.Read(ref _time))) _faults.Enqueue(e.Message);
                await Task.Delay(1);
            }
        }
    }
}

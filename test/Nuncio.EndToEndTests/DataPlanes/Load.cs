using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.DataPlanes;

/// <summary>Requests one after the other on a few connections, until it is stopped.</summary>
internal sealed class Load : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task[] _connections;
    private int _right;
    private int _wrong;
    private int _wrongAnswers;

    private Load(int port, string target) => _connections = [.. Enumerable.Range(0, 4).Select(_ => RunAsync(port, target))];

    /// <summary>Answered with 200.</summary>
    public int Right => Volatile.Read(ref _right);

    /// <summary>Everything else.</summary>
    public int Wrong => Volatile.Read(ref _wrong);

    /// <summary>Answered with something else than 200, rather than not at all.</summary>
    public int WrongAnswers => Volatile.Read(ref _wrongAnswers);

    /// <summary>The first that was wrong.</summary>
    public string? Example { get; private set; }

    public static Load Start(int port, string target) => new(port, target);

    /// <summary>Waits until so many more were right.</summary>
    public async Task ContinueAsync(int requests)
    {
        var goal = Right + requests;
        await Until.TrueAsync(() => Right >= goal, () => $"{Right} right, {Wrong} wrong: {Example}", $"{requests} more right answers");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_connections);
        _stop.Dispose();
    }

    private async Task RunAsync(int port, string target)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var client = await WireClient.ConnectAsync(port);
                while (!_stop.IsCancellationRequested)
                {
                    var response = await client.SendAsync("GET", target, "example.com");
                    if (response.Status == 200) Interlocked.Increment(ref _right);
                    else
                    {
                        Interlocked.Increment(ref _wrongAnswers);
                        Fail(response.StatusLine);
                    }

                    await Task.Delay(1);
                }
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or InvalidDataException or EndOfStreamException
                or OperationCanceledException)
            {
                Fail(e.Message);
                await Task.Delay(20);
            }
        }
    }

    private void Fail(string what)
    {
        Example ??= what;
        Interlocked.Increment(ref _wrong);
    }
}

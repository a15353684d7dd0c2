namespace Nuncio.DataPlane.AccessLogging;

/// <summary>
/// A file, or standard output, that takes lines from any thread without waiting: they are gathered and written by one thread, about every second
/// or 64 KiB. When writing cannot keep up, lines are dropped and counted rather than requests held up.
/// </summary>
public sealed class AccessLogFile : IDisposable
{
    private const int FlushBytes = 64 * 1024;
    private const int MaxPendingBytes = 16 * 1024 * 1024;

    private readonly Func<Stream> _open;
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _writer;
    private byte[] _pending = new byte[FlushBytes];
    private byte[] _writing = new byte[FlushBytes];
    private int _pendingLength;
    private long _dropped;
    private bool _closing;
    private volatile bool _reopen;

    /// <summary>A log at a path; <c>/dev/stdout</c>, <c>/dev/fd/1</c> and <c>/dev/stderr</c> are this process' own.</summary>
    public AccessLogFile(string path)
        : this(path, () => Open(path))
    {
    }

    /// <summary>A log into a stream.</summary>
    public AccessLogFile(string path, Func<Stream> open)
    {
        Path = path;
        _open = open;
        _writer = new Thread(Run) { IsBackground = true, Name = "access log" };
        _writer.Start();
    }

    /// <summary>Where it goes.</summary>
    public string Path { get; }

    /// <summary>Lines that were not written because writing could not keep up or failed.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Takes a line with its line end.</summary>
    public void Write(ReadOnlySpan<byte> line)
    {
        bool full;
        lock (_gate)
        {
            if (_closing || _pendingLength + line.Length > MaxPendingBytes)
            {
                Interlocked.Increment(ref _dropped);
                return;
            }

            if (_pendingLength + line.Length > _pending.Length)
            {
                Array.Resize(ref _pending, Math.Max(_pending.Length * 2, _pendingLength + line.Length));
            }

            line.CopyTo(_pending.AsSpan(_pendingLength));
            var before = _pendingLength;
            _pendingLength += line.Length;
            full = before < FlushBytes && _pendingLength >= FlushBytes;
        }

        if (full)
        {
            _wake.Set();
        }
    }

    /// <summary>Opens the file anew before the next write, for rotation.</summary>
    public void Reopen() => _reopen = true;

    /// <summary>Writes what is there and ends.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_closing)
            {
                return;
            }

            _closing = true;
        }

        _wake.Set();
        _writer.Join(TimeSpan.FromSeconds(5));
        _wake.Dispose();
    }

    private static Stream Open(string path) => path switch
    {
        "/dev/stdout" or "/dev/fd/1" or "/proc/self/fd/1" => Console.OpenStandardOutput(),
        "/dev/stderr" or "/dev/fd/2" or "/proc/self/fd/2" => Console.OpenStandardError(),
        _ => new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0),
    };

    private void Run()
    {
        Stream? stream = null;
        while (true)
        {
            _wake.WaitOne(TimeSpan.FromSeconds(1));
            int length;
            bool closing;
            lock (_gate)
            {
                (_pending, _writing) = (_writing, _pending);
                length = _pendingLength;
                _pendingLength = 0;
                closing = _closing;
            }

            try
            {
                if (_reopen)
                {
                    _reopen = false;
                    stream?.Dispose();
                    stream = null;
                }

                if (length > 0)
                {
                    stream ??= _open();
                    stream.Write(_writing, 0, length);
                    stream.Flush();
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                Interlocked.Add(ref _dropped, _writing.AsSpan(0, length).Count((byte)'\n'));
                stream = null;
            }

            // One burst must not keep its memory for good.
            if (_writing.Length > 16 * FlushBytes)
            {
                _writing = new byte[FlushBytes];
            }

            if (closing)
            {
                stream?.Dispose();
                return;
            }
        }
    }
}

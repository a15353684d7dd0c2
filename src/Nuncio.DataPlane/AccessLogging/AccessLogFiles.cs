using System.Collections.Concurrent;

namespace Nuncio.DataPlane.AccessLogging;

/// <summary>One open log per path, whatever configurations come and go.</summary>
public sealed class AccessLogFiles : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<AccessLogFile>> _files = new(StringComparer.Ordinal);

    /// <summary>The log of a path, the same for all who ask. It opens its file with the first line.</summary>
    public AccessLogFile Get(string path) => _files.GetOrAdd(path, static path => new Lazy<AccessLogFile>(() => new AccessLogFile(path))).Value;

    /// <summary>Opens all files anew.</summary>
    public void Reopen()
    {
        foreach (var file in _files.Values)
        {
            file.Value.Reopen();
        }
    }

    /// <summary>Writes what is there and closes all.</summary>
    public void Dispose()
    {
        foreach (var file in _files.Values)
        {
            file.Value.Dispose();
        }
    }
}

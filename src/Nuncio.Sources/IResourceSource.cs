using System.Threading.Channels;

namespace Nuncio.Sources;

/// <summary>Watches one place where resources come from: files, Kubernetes, Consul.</summary>
public interface IResourceSource
{
    /// <summary>Unique in the process.</summary>
    string Name { get; }

    /// <summary>Tells what is there, then <see cref="SourceSynced"/>, then every change, until cancelled.</summary>
    Task RunAsync(ChannelWriter<SourceEvent> events, CancellationToken cancellationToken);
}

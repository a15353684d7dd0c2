using System.Collections.Frozen;
using System.Security.Cryptography;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Nuncio.Xds;

namespace Nuncio.Host;

/// <summary>Keeps the last snapshot that was in effect on disk, as one message of xDS with the resources of all types.</summary>
internal sealed partial class LastGoodStore(LastGoodOptions options, ILogger logger)
{
    private const int MaxLength = 1024 * 1024 * 1024;
    private static readonly string RuntimeType = XdsTypeRegistry.TypeUrlOf(Struct.Descriptor);

    private string FileName => Path.Combine(options.Folder, "last-good.pb");

    /// <summary>Writes the snapshot in the place of the one before. What goes wrong is logged: traffic does not depend on it.</summary>
    public async Task WriteAsync(XdsSnapshot snapshot, CancellationToken cancellationToken)
    {
        try
        {
            var message = ToMessage(snapshot);
            message.SystemVersionInfo = DigestOf(message);
            var temporary = $"{FileName}.{Environment.ProcessId}.tmp";
            var create = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(options.Folder);
            }
            else
            {
                Directory.CreateDirectory(options.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                create.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            // What a process of the same number left; a new file cannot be somebody else's link.
            File.Delete(temporary);

            await using (var file = new FileStream(temporary, create))
            {
                await file.WriteAsync(XdsBytes.Serialize(message), cancellationToken);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, FileName, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotWritten(FileName, e.Message);
        }
    }

    /// <summary>The snapshot that was written last, with revision 0; null where there is none that can be read.</summary>
    public XdsSnapshot? Read()
    {
        try
        {
            if (!File.Exists(FileName)) return null;
            if (new FileInfo(FileName).Length > MaxLength) throw new InvalidDataException("The file is too large.");
            var message = DeltaDiscoveryResponse.Parser.ParseFrom(File.ReadAllBytes(FileName));
            var digest = message.SystemVersionInfo;
            message.SystemVersionInfo = "";

            // A part of it, or nothing, is a message too: as a configuration it would take away what is missing.
            if (digest != DigestOf(message)) throw new InvalidDataException("The file is not what was written.");
            return FromMessage(message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            LogNotRead(FileName, e.Message);
            return null;
        }
    }

    private static string DigestOf(DeltaDiscoveryResponse message) => Convert.ToHexStringLower(SHA256.HashData(XdsBytes.Serialize(message)));

    private DeltaDiscoveryResponse ToMessage(XdsSnapshot snapshot)
    {
        var message = new DeltaDiscoveryResponse();
        Add(snapshot.Listeners.Values);
        Add(snapshot.RouteConfigurations.Values);
        Add(snapshot.Clusters.Values);
        Add(snapshot.Endpoints.Values);
        if (options.WithSecrets) Add(snapshot.Secrets.Values);
        if (snapshot.Runtime is { } runtime) message.Resources.Add(new Resource { Name = "runtime", Resource_ = Pack(runtime) });
        return message;

        void Add(IEnumerable<IXdsResource> resources)
        {
            foreach (var resource in resources.OrderBy(resource => resource.Name, StringComparer.Ordinal))
                message.Resources.Add(new Resource { Name = resource.Name, Version = resource.Version.ToString(), Resource_ = Pack(resource.Message) });
        }
    }

    private static XdsSnapshot FromMessage(DeltaDiscoveryResponse message)
    {
        return new XdsSnapshot
        {
            Revision = 0,
            Listeners = Table<Listener>(),
            RouteConfigurations = Table<RouteConfiguration>(),
            Clusters = Table<Cluster>(),
            Endpoints = Table<ClusterLoadAssignment>(),
            Secrets = Table<Secret>(),
            Runtime = message.Resources.FirstOrDefault(resource => resource.Resource_?.TypeUrl == RuntimeType)?.Resource_.Unpack<Struct>(),
        };

        FrozenDictionary<string, XdsResource<T>> Table<T>()
            where T : class, IMessage, new()
        {
            var url = XdsTypeRegistry.TypeUrlOf(new T().Descriptor);
            return message.Resources.Where(resource => resource.Resource_?.TypeUrl == url).ToFrozenDictionary(
                resource => resource.Name,
                resource => new XdsResource<T>(
                    resource.Name, resource.Resource_.Unpack<T>(),
                    XdsVersion.TryParse(resource.Version, out var version) ? version : throw new InvalidDataException("A resource has no version.")),
                StringComparer.Ordinal);
        }
    }

    private static Any Pack(IMessage message) =>
        new() { TypeUrl = XdsTypeRegistry.TypeUrlOf(message.Descriptor), Value = UnsafeByteOperations.UnsafeWrap(XdsBytes.Serialize(message)) };

    [LoggerMessage(1, LogLevel.Error, "The last good configuration cannot be kept in {File}: {Reason}")]
    private partial void LogNotWritten(string file, string reason);

    [LoggerMessage(2, LogLevel.Error, "The last good configuration in {File} cannot be read: {Reason}")]
    private partial void LogNotRead(string file, string reason);
}

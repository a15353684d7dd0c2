using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Nuncio.Xds;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.Host.Planes.LocalEnvoy;

/// <summary>The files that a gateway and its Envoy share.</summary>
internal sealed class EnvoyFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private string _digest = "";

    private EnvoyFolder(string path) => Path = path;

    public string Path { get; }

    /// <summary>The Unix socket that ADS is served on.</summary>
    public string Socket => System.IO.Path.Combine(Path, "ads.sock");

    public string Bootstrap => System.IO.Path.Combine(Path, "bootstrap.json");

    /// <summary>The process id of the Envoy that was started last, and the digest of the bootstrap that it was started with.</summary>
    public string ProcessId => System.IO.Path.Combine(Path, "envoy.pid");

    /// <summary>Makes the folder, its owner's alone. Null and a reason when that fails, or another gateway has it.</summary>
    public static EnvoyFolder? Open(EnvoyOptions options, out string? problem)
    {
        var path = System.IO.Path.GetFullPath(options.Folder ?? Default(options.Identity));
        var folder = new EnvoyFolder(path);
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
            else
            {
                Directory.CreateDirectory(path, OwnerOnly);
                // Fails where the folder is somebody else's, who could put a socket of their own in place.
                File.SetUnixFileMode(path, OwnerOnly);
            }

            // The address of a Unix socket has 107 octets (unix(7)).
            problem = Encoding.UTF8.GetByteCount(folder.Socket) > 107 ? $"{folder.Socket} is too long for a socket: give a shorter --envoy-folder" : null;
            if (problem is null && IsServed(folder.Socket)) problem = $"Another gateway serves its Envoy from {path}: give this one another --envoy-folder";
            if (problem is not null) return null;
            File.Delete(folder.Socket);
            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"{path} cannot be used: {e.Message}";
            return null;
        }
    }

    /// <summary>Writes the bootstrap; a reason when that fails.</summary>
    public string? WriteBootstrap(AdsBootstrapOptions options)
    {
        var text = XdsJson.Format(AdsBootstrapEmitter.Emit(options), indented: true) + "\n";
        try
        {
            if (!File.Exists(Bootstrap) || File.ReadAllText(Bootstrap) != text) File.WriteAllText(Bootstrap, text);
            _digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{Bootstrap} cannot be written: {e.Message}";
        }
    }

    /// <summary>Writes down which process runs on the present bootstrap; a reason when that fails.</summary>
    public string? RememberStarted(int id)
    {
        try
        {
            File.WriteAllText(ProcessId, string.Create(CultureInfo.InvariantCulture, $"{id} {_digest}"));
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    /// <summary>There is no process any more.</summary>
    public void ForgetStarted()
    {
        try
        {
            File.Delete(ProcessId);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A number without its process means nothing to who reads it.
        }
    }

    /// <summary>The process that a gateway before this one left running on a bootstrap of this folder; null where there is none.</summary>
    public StartedEnvoy? LeftRunning()
    {
        try
        {
            var written = File.ReadAllText(ProcessId).Split(' ', 2);
            if (!int.TryParse(written[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id)) return null;
            // The number may be another process's by now.
            var words = File.ReadAllText($"/proc/{id}/cmdline").Split('\0');
            return words.Contains(Bootstrap) ? new StartedEnvoy(id, written.Length > 1 ? written[1].Trim() : "") : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>It was started with the present bootstrap.</summary>
    public bool WasStartedWith(StartedEnvoy envoy) => envoy.Digest == _digest;

    private static string Default(string identity)
    {
        var parent = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime ? System.IO.Path.Combine(runtime, "nuncio")
            : Environment.IsPrivilegedProcess && Directory.Exists("/run") ? "/run/nuncio"
            : System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"nuncio-{Environment.UserName}");
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(parent);
        else
        {
            Directory.CreateDirectory(parent, OwnerOnly);
            File.SetUnixFileMode(parent, OwnerOnly);
        }

        return System.IO.Path.Combine(parent, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)).AsSpan(0, 6)));
    }

    private static bool IsServed(string socket)
    {
        if (!File.Exists(socket)) return false;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(socket));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

using System.Globalization;
using System.Net.Sockets;
using Nuncio.Testing;
using Nuncio.Testing.Processes;

namespace Nuncio.EndToEndTests.Conformance.Smuggling;

/// <summary>A proxy of some kind that forwards everything on one port to one upstream.</summary>
internal sealed class ProxyFixture : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private RunningGateway? _gateway;
    private TestProcess? _process;

    private ProxyFixture(string name) => Name = name;

    public string Name { get; }

    public int Port { get; private set; }

    /// <summary>Sends bytes to it, see <see cref="RawExchange"/>.</summary>
    public async Task<string> SendAsync(string request, Func<string, bool> isEnough, TimeSpan patience)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return await RawExchange.SendAsync(Port, request, isEnough, patience);
            }
            catch (SocketException) when (tries < 20 && _process is { HasExited: false })
            {
                await Task.Delay(100);
            }
            catch (SocketException e)
            {
                throw new InvalidOperationException(
                    $"{Name} takes no connection{(_process is { HasExited: true } ? $" and has ended with {_process.ExitCode}" : "")}: {_process?.AllText}", e);
            }
        }
    }

    /// <summary>The gateway under test.</summary>
    public static async Task<ProxyFixture> StartNuncioAsync(int upstream)
    {
        var gateway = await RunningGateway.StartAsync(Everything(upstream));
        return new ProxyFixture("nuncio") { _gateway = gateway, Port = gateway.Port };
    }

    /// <summary>Envoy with the configuration that nuncio compiles of the same manifests; null where there is no Envoy.</summary>
    public static async Task<ProxyFixture?> StartEnvoyAsync(int upstream)
    {
        if (TestPaths.FindProgram("envoy") is not { } program) return null;
        var fixture = new ProxyFixture("envoy") { Port = FreePort.Next() };
        var manifests = Path.Combine(fixture._folder.Path, "manifests");
        Directory.CreateDirectory(manifests);
        await File.WriteAllTextAsync(
            Path.Combine(manifests, "all.yaml"),
            (Manifests.ListenerAndHost + Everything(upstream)).Replace("PORT", fixture.Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        var configuration = Path.Combine(fixture._folder.Path, "envoy.json");
        await using (var compile = await NuncioCommand.RunAsync("compile", manifests, "--out", configuration))
        {
            compile.ExitCode.ShouldBe(0, compile.AllText);
        }

        fixture._process = TestProcess.Start(program, ["-c", configuration, "--concurrency", "1", "-l", "error", "--disable-hot-restart"]);
        await fixture.WaitAsync();
        return fixture;
    }

    /// <summary>nginx; null where there is none.</summary>
    public static async Task<ProxyFixture?> StartNginxAsync(int upstream)
    {
        var program = TestPaths.FindProgram("nginx") ?? (File.Exists("/usr/sbin/nginx") ? "/usr/sbin/nginx" : null);
        if (program is null) return null;
        var fixture = new ProxyFixture("nginx") { Port = FreePort.Next() };
        var folder = fixture._folder.Path;
        var configuration = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(configuration, string.Create(CultureInfo.InvariantCulture, $$"""
            daemon off; master_process off; error_log /dev/null; pid {{folder}}/pid;
            events {}
            http {
              access_log off;
              client_body_temp_path {{folder}}; proxy_temp_path {{folder}}; fastcgi_temp_path {{folder}}; uwsgi_temp_path {{folder}}; scgi_temp_path {{folder}};
              server {
                listen 127.0.0.1:{{fixture.Port}};
                location / {
                  proxy_pass http://127.0.0.1:{{upstream}}; proxy_http_version 1.1; proxy_request_buffering off;
                  proxy_set_header Host $http_host; proxy_set_header Connection "";
                }
              }
            }
            """));
        fixture._process = TestProcess.Start(program, ["-c", configuration, "-e", "/dev/null"]);
        await fixture.WaitAsync();
        return fixture;
    }

    public async ValueTask DisposeAsync()
    {
        if (_gateway is not null) await _gateway.DisposeAsync();
        if (_process is not null) await _process.DisposeAsync();
        _folder.Dispose();
    }

    private static string Everything(int upstream) => Manifests.Mapping("all", "/", upstream, "rewrite: \"\"", "timeout_ms: 30000");

    private async Task WaitAsync()
    {
        for (var tries = 0; ; tries++)
        {
            if (_process!.HasExited) throw new InvalidOperationException($"{Name} ended:\n{_process.AllText}");
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", Port);
                return;
            }
            catch (SocketException) when (tries < 600)
            {
                await Task.Delay(50);
            }
        }
    }
}

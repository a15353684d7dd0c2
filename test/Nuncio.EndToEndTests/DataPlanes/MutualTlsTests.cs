using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.RegularExpressions;
using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Nuncio.Testing.Processes;

namespace Nuncio.EndToEndTests.DataPlanes;

/// <summary>ADS beyond loopback: mutual TLS on both sides, or nothing.</summary>
public sealed partial class MutualTlsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TestCertificate _servers = TestCertificate.CreateAuthority("servers");
    private readonly TestCertificate _clients = TestCertificate.CreateAuthority("clients");
    private readonly int _port = FreePort.Next();
    private readonly int _envoyAdmin = FreePort.Next();

    public MutualTlsTests()
    {
        using var server = TestCertificate.Create(["nuncio.example.com", "127.0.0.1"], _servers);
        using var client = TestCertificate.Create(["edge.example.com"], _clients);
        using var stranger = TestCertificate.Create(["edge.example.com"], _servers);
        Write("server", server);
        Write("client", client);
        Write("stranger", stranger);
        using var belowServers = TestCertificate.CreateAuthority("below servers", _servers);
        using var belowClients = TestCertificate.CreateAuthority("below clients", _clients);
        using var deepServer = TestCertificate.Create(["nuncio.example.com", "127.0.0.1"], belowServers);
        using var deepClient = TestCertificate.Create(["edge.example.com"], belowClients);
        Write("deep-server", deepServer);
        Write("deep-client", deepClient);
        _folder.Write("servers-ca.crt", _servers.CertificatePem);
        _folder.Write("clients-ca.crt", _clients.CertificatePem);
    }

    [SkippableFact]
    public async Task Envoy_WithItsCertificate_IsServed()
    {
        var program = TestPaths.RequireProgram("envoy");
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port));
        await using var envoy = await StartEnvoyAsync(program, "client");
        await UntilServedAsync(gateway, envoy);

        gateway.Write("more.yaml", Manifests.Mapping("more", "/more/", backend.Port));
        (await gateway.SendUntilAsync(response => response.Status == 200, "/more/")).Status.ShouldBe(200);
    }

    [SkippableFact]
    public async Task Envoy_WithACertificateOfAnotherAuthority_GetsNothing()
    {
        var program = TestPaths.RequireProgram("envoy");
        await using var gateway = await StartAsync(Manifests.Mapping("kept", "/kept/", 1));
        await using var envoy = await StartEnvoyAsync(program, "stranger");
        using var admin = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_envoyAdmin}")) };

        await Until.TrueAsync(async () => Refused().IsMatch(await StatisticsAsync(admin)), () => envoy.AllText);

        (await gateway.AdminTextAsync("/metrics")).ShouldContain("nuncio_ads_clients 0\n");
    }

    [Fact]
    public async Task RemoteProxy_WithItsCertificate_IsServed()
    {
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port));
        await using var proxy = TestProcess.Start(
            NuncioCommand.Program, ["proxy", "--xds", Address(), .. Tls("client"), "--admin", $"127.0.0.1:{FreePort.Next()}"], NuncioCommand.WithoutSettings);

        await UntilServedAsync(gateway, proxy);
    }

    [SkippableFact]
    public async Task Envoy_WhereBothCertificatesHaveIntermediates_IsServed()
    {
        var program = TestPaths.RequireProgram("envoy");
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port), "deep-server");
        await using var envoy = await StartEnvoyAsync(program, "deep-client");

        await UntilServedAsync(gateway, envoy);
    }

    [Fact]
    public async Task RemoteProxy_WhereBothCertificatesHaveIntermediates_IsServed()
    {
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port), "deep-server");
        await using var proxy = TestProcess.Start(
            NuncioCommand.Program, ["proxy", "--xds", Address(), .. Tls("deep-client"), "--admin", $"127.0.0.1:{FreePort.Next()}"], NuncioCommand.WithoutSettings);

        await UntilServedAsync(gateway, proxy);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("stranger")]
    public async Task Client_WithoutAProperCertificate_IsCutOff(string? certificate)
    {
        await using var gateway = await StartAsync(Manifests.Mapping("kept", "/kept/", 1));
        using var socket = new TcpClient();
        using var limit = new CancellationTokenSource(Until.Limit);
        await socket.ConnectAsync("127.0.0.1", _port, limit.Token);
        await using var tls = new SslStream(socket.GetStream());
        using var own = certificate is null ? null : System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadPkcs12(
            System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPemFile(FileName($"{certificate}.crt"), FileName($"{certificate}.key"))
                .Export(System.Security.Cryptography.X509Certificates.X509ContentType.Pkcs12), null);

        // In TLS 1.3 the refusal comes after the client's handshake.
        var refused = await Should.ThrowAsync<Exception>(async () =>
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "nuncio.example.com",
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                ClientCertificates = own is null ? null : [own],
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            }, limit.Token);
            await tls.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"u8.ToArray(), limit.Token);
            if (await tls.ReadAsync(new byte[1], limit.Token) == 0) throw new IOException("closed");
        });

        (refused is IOException or AuthenticationException or SocketException).ShouldBeTrue(refused.ToString());
    }

    [Fact]
    public async Task AddressThatIsNotLocal_IsAClearError()
    {
        // Set aside for documentation (RFC 5737): no machine has it.
        await using var command = await NuncioCommand.RunAsync(
            ["run", _folder.Path, "--admin", $"127.0.0.1:{FreePort.Next()}", "--data-plane", "none", "--xds-address", "192.0.2.1:18000", .. ServerTls()]);

        command.ExitCode.ShouldBe(2);
        command.Errors.ShouldContain(line => line.Contains("ADS cannot be served on 192.0.2.1:18000", StringComparison.Ordinal));
        command.Errors.ShouldNotContain(line => line.Contains("   at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AddressBeyondLoopback_WithoutTls_IsRefused()
    {
        await using var command = await NuncioCommand.RunAsync("run", _folder.Path, "--data-plane", "none", "--xds-address", "0.0.0.0:18000");

        command.ExitCode.ShouldNotBe(0);
        command.Errors.ShouldContain(line => line.Contains("--xds-client-ca", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:x")]
    public async Task AddressThatIsNone_IsAClearError(string address)
    {
        await using var command = await NuncioCommand.RunAsync("run", _folder.Path, "--data-plane", "none", "--xds-address", address);

        command.ExitCode.ShouldBe(2);
        command.Errors.ShouldContain(line => line.Contains("--xds-address", StringComparison.Ordinal));
        command.Errors.ShouldNotContain(line => line.Contains("   at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task OptionOfAnotherDataPlane_IsSaid()
    {
        // It cannot be started, so that the command ends at once.
        await using var command = await NuncioCommand.RunAsync(
            "run", _folder.Path, "--data-plane", "envoy", "--envoy", Path.Combine(_folder.Path, "none"), "--xds-address", "127.0.0.1:18000",
            "--max-connections", "5", "--no-envoy-standby");

        command.ExitCode.ShouldBe(2);
        command.Errors.ShouldContain(line => line.Contains("--xds-address has no effect", StringComparison.Ordinal));
        command.Errors.ShouldContain(line => line.Contains("--max-connections has no effect", StringComparison.Ordinal));
        command.Errors.ShouldNotContain(line => line.Contains("--envoy has no effect", StringComparison.Ordinal));
    }

    public void Dispose()
    {
        _servers.Dispose();
        _clients.Dispose();
        _folder.Dispose();
    }

    private void Write(string name, TestCertificate certificate)
    {
        _folder.Write($"{name}.crt", certificate.ChainPem);
        _folder.Write($"{name}.key", certificate.KeyPem);
    }

    private string FileName(string name) => Path.Combine(_folder.Path, name);

    private string Address() => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}");

    private string[] ServerTls(string name = "server") =>
        ["--xds-certificate", FileName($"{name}.crt"), "--xds-key", FileName($"{name}.key"), "--xds-client-ca", FileName("clients-ca.crt")];

    private string[] Tls(string name) =>
        ["--certificate", FileName($"{name}.crt"), "--key", FileName($"{name}.key"), "--ca", FileName("servers-ca.crt"), "--server-name", "nuncio.example.com"];

    private Task<RunningGateway> StartAsync(string manifests, string certificate = "server") => RunningGateway.StartAsync(
        manifests, ["--data-plane", "none", "--xds-address", string.Create(CultureInfo.InvariantCulture, $"0.0.0.0:{_port}"), .. ServerTls(certificate)]);

    private async Task<TestProcess> StartEnvoyAsync(string program, string certificate)
    {
        await using var bootstrap = await NuncioCommand.RunAsync(
            ["bootstrap", "--xds", Address(), "--envoy-admin", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_envoyAdmin}"), .. Tls(certificate)]);
        var text = string.Join('\n', bootstrap.Output) + "\n";
        text.ShouldNotContain("PRIVATE KEY");
        _folder.Write("envoy.yaml", text);
        return TestProcess.Start(program, ["-c", FileName("envoy.yaml"), "--disable-hot-restart", "--concurrency", "1", "-l", "warning"]);
    }

    private static async Task<string> StatisticsAsync(HttpClient admin)
    {
        try
        {
            return await admin.GetStringAsync("/stats?filter=^cluster.nuncio_xds.upstream_cx");
        }
        catch (HttpRequestException)
        {
            return "";
        }
    }

    private static async Task UntilServedAsync(RunningGateway gateway, TestProcess plane)
    {
        await Until.TrueAsync(
            async () =>
            {
                try
                {
                    return (await gateway.SendAsync("GET", "/kept/")).Status == 200;
                }
                catch (SocketException)
                {
                    // It does not listen yet.
                    return false;
                }
            },
            () => gateway.Process.AllText + plane.AllText,
            "/kept/ is served");
    }

    [GeneratedRegex(@"upstream_cx_destroy_remote: [1-9]", RegexOptions.CultureInvariant)]
    private static partial Regex Refused();
}

using System.Collections.Frozen;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Tests.Http.Http2;
using Nuncio.DataPlane.Tls;
using Nuncio.DataPlane.Tls.OpenSsl;
using Nuncio.Testing;
using Nuncio.Xds;
using Protocol = Envoy.Extensions.TransportSockets.Tls.V3.TlsParameters.Types.TlsProtocol;

namespace Nuncio.DataPlane.Tests.Tls;

/// <summary>Sessions of clients with certificates: they go on with the certificate that they began with, as long as it would be let in now.</summary>
public sealed class ClientCertificateSessionTests : IDisposable
{
    private static readonly TimeSpan Long = Until.Limit;

    private readonly TestCertificate _server = TestCertificate.Create(["a.example"]);
    private readonly TestCertificate _root = TestCertificate.CreateAuthority("root");
    private readonly TestCertificate _stranger = TestCertificate.CreateAuthority("stranger");
    private readonly TestCertificate _client;
    private readonly MovedTime _time = new();
    private readonly SecretTable _secrets = new();
    private readonly MetricsRegistry _registry = new();
    private readonly ListenerMetrics _metrics;

    // The client remembers sessions by the server's name, which nobody else has here.
    private readonly string _name = $"{Guid.NewGuid():N}.example";

    public ClientCertificateSessionTests()
    {
        using var middle = TestCertificate.CreateAuthority("middle", _root);
        _client = TestCertificate.Create(["good.example"], middle, days: 5);
        _metrics = new ListenerMetrics(_registry, "test");
        Trust(_root);
    }

    public static TheoryData<string> Ways => ["1.3", "1.2 ticket", "1.2 identifier"];

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public async Task Session_GoesOn_WithTheCertificateAndItsChain(string way)
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var model = Bind(way, isRequired: true);
        var first = (await ConnectAsync(model, way, _client)).ShouldNotBeNull();
        var second = await ConnectUntilResumedAsync(model, way, _client);

        first.IsResumed.ShouldBeFalse();
        second.IsResumed.ShouldBeTrue();
        second.IsPeerValidated.ShouldBeTrue();
        second.PeerCertificate!.RawData.ShouldBe(_client.Certificate.RawData);
        second.PeerChain!.Select(one => one.Subject).ShouldBe(["CN=good.example", "CN=middle"]);
        first.PeerChain!.Select(one => one.Subject).ShouldBe(["CN=good.example", "CN=middle"]);
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public async Task Session_WhoseCertificateHasExpired_DoesNotGoOn(string way)
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var model = Bind(way, isRequired: true);
        (await ConnectAsync(model, way, _client)).ShouldNotBeNull();
        _time.Offset = TimeSpan.FromDays(6);

        (await ConnectAsync(model, way, _client)).ShouldBeNull();
        (await ConnectAsync(model, way, _client)).ShouldBeNull();
        _metrics.SslFailVerifyError.Value.ShouldBeGreaterThan(0);
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public async Task Session_AfterTheAuthorityHasChanged_DoesNotGoOn(string way)
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var model = Bind(way, isRequired: true);
        (await ConnectAsync(model, way, _client)).ShouldNotBeNull();
        Trust(_stranger);

        (await ConnectAsync(model, way, _client)).ShouldBeNull();
        _metrics.SslFailVerifyError.Value.ShouldBe(1);

        Trust(_root);
        (await ConnectAsync(model, way, _client)).ShouldNotBeNull().IsResumed.ShouldBeFalse();
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public async Task Session_WithoutACertificate_GoesOnWhereNoneIsNeeded(string way)
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var model = Bind(way, isRequired: false);
        (await ConnectAsync(model, way, null)).ShouldNotBeNull().PeerCertificate.ShouldBeNull();
        var second = await ConnectUntilResumedAsync(model, way, null);

        second.IsResumed.ShouldBeTrue();
        second.PeerCertificate.ShouldBeNull();
        second.IsPeerValidated.ShouldBeFalse();
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public async Task Session_OfAnOptionalCertificateThatHasExpired_LeavesNothingOfItBehind(string way)
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var model = Bind(way, isRequired: false);
        (await ConnectAsync(model, way, _client)).ShouldNotBeNull().IsPeerValidated.ShouldBeTrue();
        _time.Offset = TimeSpan.FromDays(6);

        // Whether the client remembers its session for a connection without a certificate is its own affair.
        if (await ConnectAsync(model, way, null) is { } second)
        {
            second.IsResumed.ShouldBeFalse();
            second.PeerCertificate.ShouldBeNull();
            second.IsPeerValidated.ShouldBeFalse();
        }
    }

    [SkippableFact]
    public async Task Session_OfALongChain_IsNotRememberedHere()
    {
        Skip.IfNot(LibSsl.IsAvailable);
        const string Way = "1.2 identifier";
        var above = new List<TestCertificate> { _root };
        for (var i = 0; i < 25; i++) above.Add(TestCertificate.CreateAuthority($"middle {i} with a name of some length", above[^1]));
        using var deep = TestCertificate.Create(["deep.example"], above[^1]);
        var model = Bind(Way, isRequired: true);

        for (var i = 0; i < 2; i++)
        {
            var connection = (await ConnectAsync(model, Way, deep)).ShouldNotBeNull();
            connection.PeerChain!.Sum(static one => one.RawData.Length).ShouldBeGreaterThan(8192);
            connection.IsResumed.ShouldBeFalse();
        }

        foreach (var one in above[1..]) one.Dispose();
    }

    [SkippableFact]
    public async Task Accept_OfAChainWithoutEnd_IsRefused()
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var above = new List<TestCertificate> { _root };
        for (var i = 0; i < 32; i++) above.Add(TestCertificate.CreateAuthority($"middle {i}", above[^1]));
        using var good = TestCertificate.Create(["deep.example"], above[^2]);
        using var bad = TestCertificate.Create(["deep.example"], above[^1]);
        var model = Bind("1.3", isRequired: true);

        (await ConnectAsync(model, "1.3", good)).ShouldNotBeNull().PeerChain!.Count.ShouldBe(32);
        (await ConnectAsync(model, "1.3", bad)).ShouldBeNull();

        foreach (var one in above[1..]) one.Dispose();
    }

    [SkippableFact]
    public async Task Session_OfAListenerWithoutCertificates_DoesNotGoOnWhereOneIsNeeded()
    {
        Skip.IfNot(LibSsl.IsAvailable);
        const string Way = "1.3";
        (await ConnectAsync(Bind(Way, isRequired: false), Way, null)).ShouldNotBeNull();

        (await ConnectAsync(Bind(Way, isRequired: true), Way, null)).ShouldBeNull();
        _metrics.SslFailVerifyNoCert.Value.ShouldBe(1);
    }

    [SkippableFact]
    public async Task Accept_WithoutTheAuthoritiesThatAreAskedFor_LetsNobodyIn()
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var model = Bind("1.3", isRequired: false);
        _secrets.Apply(FrozenDictionary<string, XdsResource<TlsV3.Secret>>.Empty, []);

        (await ConnectAsync(model, "1.3", _client)).ShouldBeNull();
        (await ConnectAsync(model, "1.3", null)).ShouldBeNull();
    }

    [SkippableFact]
    public async Task Clients_WhileTheAuthorityChanges_AreLetInByOneOfThem()
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var model = Bind("1.3", isRequired: true);
        var letIn = 0;
        var clients = Enumerable.Range(0, 4).Select(number => Task.Run(async () =>
        {
            for (var i = 0; i < 15; i++)
            {
                if (number == 0) Trust(i % 2 == 0 ? _stranger : _root);
                if (await ConnectAsync(model, "1.3", _client) is { } connection)
                {
                    Interlocked.Increment(ref letIn);
                    connection.IsPeerValidated.ShouldBeTrue();
                    connection.PeerChain!.Count.ShouldBe(2);
                }
            }
        })).ToList();
        await Task.WhenAll(clients).WaitAsync(Long);

        // What is gone must be gone without taking anything along.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Trust(_root);
        (await ConnectAsync(model, "1.3", _client)).ShouldNotBeNull();
        letIn++;
        (letIn + _metrics.SslFailVerifyError.Value).ShouldBe(61);
    }

    public void Dispose()
    {
        _client.Dispose();
        _root.Dispose();
        _stranger.Dispose();
        _server.Dispose();
    }

    private void Trust(TestCertificate authority)
    {
        var rejections = new List<XdsRejection>();
        var secret = new TlsV3.Secret
        {
            Name = "ca",
            ValidationContext = new TlsV3.CertificateValidationContext { TrustedCa = new CoreV3.DataSource { InlineString = authority.CertificatePem } },
        };
        _secrets.Apply(new Dictionary<string, XdsResource<TlsV3.Secret>> { ["ca"] = XdsResource<TlsV3.Secret>.Create("ca", secret) }, rejections);
        rejections.ShouldBeEmpty();
    }

    private DownstreamTlsModel Bind(string way, bool isRequired)
    {
        var message = DownstreamTls.Message(_server);
        message.RequireClientCertificate = isRequired;
        message.DisableStatelessSessionResumption = way == "1.2 identifier";
        message.CommonTlsContext.TlsParams.TlsMaximumProtocolVersion = way == "1.3" ? Protocol.Tlsv13 : Protocol.Tlsv12;
        message.CommonTlsContext.ValidationContextSdsSecretConfig = new TlsV3.SdsSecretConfig { Name = "ca" };
        var errors = new BindErrors();
        var model = DownstreamTlsModel.Bind(message, "tls", _secrets, _time, errors);
        errors.All.ShouldBeEmpty();
        return model.ShouldNotBeNull();
    }

    // SslStream's client forgets sessions now and then, when others make many of them.
    private async Task<TlsTransportConnection> ConnectUntilResumedAsync(DownstreamTlsModel model, string way, TestCertificate? certificate)
    {
        for (var tries = 1; ; tries++)
        {
            var connection = (await ConnectAsync(model, way, certificate)).ShouldNotBeNull();
            if (connection.IsResumed || tries == 10) return connection;
        }
    }

    // Null where the client is not let in.
    private async Task<TlsTransportConnection?> ConnectAsync(DownstreamTlsModel model, string way, TestCertificate? certificate)
    {
        var (one, other) = MemoryTransport.CreatePair();
        var accepting = model.AcceptAsync(one, default, "", CancellationToken.None, _metrics).AsTask();
        await using var client = new SslStream(new TransportStream(other, default), false, static (_, _, _, _) => true);
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = _name,
            EnabledSslProtocols = way == "1.3" ? SslProtocols.Tls13 : SslProtocols.Tls12,
            ClientCertificateContext = certificate is null ? null : certificate.ToContext(),
        };
        try
        {
            await client.AuthenticateAsClientAsync(options).WaitAsync(Long);
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            (await accepting.WaitAsync(Long)).ShouldBeNull();
            return null;
        }

        var server = await accepting.WaitAsync(Long);
        if (server is null)
        {
            return null;
        }

        server.ShouldBeOfType<OpenSslTransportConnection>();
        await server.WriteAsync(new byte[1]);
        await client.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Long);
        await client.ShutdownAsync().WaitAsync(Long);
        await server.DisposeAsync();
        return server;
    }

    private sealed class MovedTime : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
    }
}

using System.Net.Security;
using System.Security.Authentication;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Tests.Http.Http2;
using Nuncio.DataPlane.Tls;
using Nuncio.DataPlane.Tls.OpenSsl;
using Nuncio.DataPlane.Transport;
using Nuncio.Testing;
using Protocol = Envoy.Extensions.TransportSockets.Tls.V3.TlsParameters.Types.TlsProtocol;

namespace Nuncio.DataPlane.Tests.Tls;

// Each holds for both: OpenSSL used directly, and SslStream, which serves where cipher suites are chosen that OpenSSL has other names for.
public sealed class DownstreamTlsModelTests : IDisposable
{
    private static readonly TimeSpan Long = Until.Limit;

    private readonly TestCertificate _authority = TestCertificate.CreateAuthority("root");
    private readonly TestCertificate _certificate;

    public DownstreamTlsModelTests()
    {
        using var intermediate = TestCertificate.CreateAuthority("intermediate", _authority);
        _certificate = TestCertificate.Create(["localhost"], intermediate);
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _authority.Dispose();
    }

    [Theory]
    [InlineData(false, Protocol.Tlsv12, "TLSv1.2")]
    [InlineData(false, Protocol.Tlsv13, "TLSv1.3")]
    [InlineData(true, Protocol.Tlsv12, "TLSv1.2")]
    [InlineData(true, Protocol.Tlsv13, "TLSv1.3")]
    public async Task Accept_EachVersion_AgreesAndSendsTheChain(bool platform, Protocol version, string expected)
    {
        var (server, client, presented) = await ConnectAsync(Bind(platform, context => context.CommonTlsContext.TlsParams.TlsMaximumProtocolVersion = version, "h2", "http/1.1"), ["http/1.1"]);
        await using var both = server;
        server.Version.ShouldBe(expected);
        server.ApplicationProtocol.ShouldBe("http/1.1");
        server.Cipher.ShouldNotBeEmpty();
        client.NegotiatedApplicationProtocol.ShouldBe(SslApplicationProtocol.Http11);
        presented.ShouldBe(2);
        (server is OpenSslTransportConnection).ShouldBe(!platform && LibSsl.IsAvailable);
    }

    [SkippableFact]
    public async Task Accept_NoProtocolInCommon_GoesOnWithoutAlpn()
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var (server, client, _) = await ConnectAsync(Bind(false, null, "h2"), ["spdy/3"]);
        await using var both = server;
        server.ApplicationProtocol.ShouldBeEmpty();
        client.NegotiatedApplicationProtocol.Protocol.IsEmpty.ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ManyBytes_BothWaysAtOnce_ArriveAndThenTheEnd(bool platform)
    {
        var (server, client, _) = await ConnectAsync(Bind(platform), []);
        await using var both = server;
        const int Total = 4 * 1024 * 1024;
        var echo = Task.Run(async () =>
        {
            var buffer = new byte[70000];
            int read;
            while ((read = await server.ReadAsync(buffer)) > 0 && await server.WriteAsync(buffer.AsMemory(0, read)))
            {
            }

            await server.ShutdownWriteAsync();
            return read;
        });
        var sent = new byte[Total];
        new Random(7).NextBytes(sent);
        var sending = Task.Run(async () => await client.WriteAsync(sent));
        var received = new byte[Total];
        await client.ReadExactlyAsync(received).AsTask().WaitAsync(Long);
        await sending.WaitAsync(Long);

        // Not beside a read: SslStream's own shutdown does not bear that.
        await client.ShutdownAsync();
        (await client.ReadAsync(new byte[1]).AsTask().WaitAsync(Long)).ShouldBe(0);
        (await echo.WaitAsync(Long)).ShouldBe(0);
        received.AsSpan().SequenceEqual(sent).ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Accept_WhatIsNoTls_FailsAndClosesTheTransport(bool platform)
    {
        var (one, other) = MemoryTransport.CreatePair();
        var accepting = Bind(platform).AcceptAsync(one, "GET / HTTP/1.1\r\n\r\n"u8.ToArray(), "", CancellationToken.None).AsTask();
        (await accepting.WaitAsync(Long)).ShouldBeNull();
        one.IsAborted.ShouldBeTrue();
        await other.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Accept_AbortedInTheMiddle_Fails(bool platform)
    {
        var (one, other) = MemoryTransport.CreatePair();
        var accepting = Bind(platform).AcceptAsync(one, default, "", CancellationToken.None).AsTask();
        await other.WriteAsync(new byte[] { 22, 3, 1, 2, 0, 1 });
        one.Abort();
        (await accepting.WaitAsync(Long)).ShouldBeNull();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_TransportEndsWithoutCloseNotify_IsTheEnd(bool platform)
    {
        var (server, _, transport) = await ConnectRawAsync(Bind(platform));
        await using var both = server;
        var reading = server.ReadAsync(new byte[10]).AsTask();
        await transport.ShutdownWriteAsync();
        (await reading.WaitAsync(Long)).ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_RecordCutShort_IsBroken(bool platform)
    {
        var (server, _, transport) = await ConnectRawAsync(Bind(platform));
        await using var both = server;
        var reading = server.ReadAsync(new byte[10]).AsTask();
        await transport.WriteAsync(new byte[] { 23, 3, 3, 0, 100, 1, 2, 3 });
        await transport.ShutdownWriteAsync();
        (await reading.WaitAsync(Long)).ShouldBe(-1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_RecordOfSomebodyElse_IsBroken(bool platform)
    {
        var (server, _, transport) = await ConnectRawAsync(Bind(platform));
        await using var both = server;
        var reading = server.ReadAsync(new byte[10]).AsTask();
        await transport.WriteAsync(new byte[] { 23, 3, 3, 0, 40 }.Concat(new byte[40]).ToArray());
        (await reading.WaitAsync(Long)).ShouldBe(-1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Abort_WithAReadPending_EndsIt(bool platform)
    {
        var (server, client, _) = await ConnectAsync(Bind(platform), []);
        var reading = server.ReadAsync(new byte[10]).AsTask();
        server.Abort();
        (await reading.WaitAsync(Long)).ShouldBe(-1);
        (await server.WriteAsync(new byte[10])).ShouldBeFalse();
        await server.DisposeAsync();
        (await server.ReadAsync(new byte[10])).ShouldBe(-1);
        (await server.WriteAsync(new byte[10])).ShouldBeFalse();
        await client.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Accept_VersionThatIsOff_IsRefused(bool platform)
    {
        var (one, other) = MemoryTransport.CreatePair();
        var model = Bind(platform, context => context.CommonTlsContext.TlsParams.TlsMinimumProtocolVersion = Protocol.Tlsv13);
        var accepting = model.AcceptAsync(one, default, "", CancellationToken.None).AsTask();
        using var client = Client(other, out _);
        await Should.ThrowAsync<Exception>(client.AuthenticateAsClientAsync(Options([], SslProtocols.Tls12)).WaitAsync(Long));
        (await accepting.WaitAsync(Long)).ShouldBeNull();
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Accept_OfAClientThatHasHungUp_BeginsNoHandshake(bool isReadAlready)
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var (unused, client) = MemoryTransport.CreatePair();
        await using var stream = Client(client, out _);
        var hanging = stream.AuthenticateAsClientAsync(Options([], SslProtocols.None));
        var hello = new byte[4096];
        hello = hello[..await unused.ReadAsync(hello).AsTask().WaitAsync(Long)];
        var metrics = new ListenerMetrics(new MetricsRegistry(), "test");

        var (one, other) = MemoryTransport.CreatePair();
        one.PeerHungUp = true;
        if (!isReadAlready) await other.WriteAsync(hello);
        var connection = await Bind(false).AcceptAsync(one, isReadAlready ? hello : default, "", CancellationToken.None, metrics).AsTask().WaitAsync(Long);

        connection.ShouldBeNull();
        one.Writes.ShouldBe(0);
        one.IsAborted.ShouldBeTrue();
        metrics.SslConnectionError.Value.ShouldBe(0);
        unused.Abort();
        await Should.ThrowAsync<Exception>(hanging.WaitAsync(Long));
    }

    [SkippableFact]
    public async Task Dispose_OfAnOpenConnection_SaysCloseNotify()
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var model = Bind(false, context => context.CommonTlsContext.TlsParams.TlsMaximumProtocolVersion = Protocol.Tlsv12);
        var (server, _, transport) = await ConnectRawAsync(model);
        await server.DisposeAsync();
        var buffer = new byte[64];
        (await transport.ReadAsync(buffer).AsTask().WaitAsync(Long)).ShouldBeGreaterThan(5);
        buffer[0].ShouldBe((byte)21, "an alert");
        (await transport.ReadAsync(buffer).AsTask().WaitAsync(Long)).ShouldBe(0);
        (await server.WriteAsync(new byte[1])).ShouldBeFalse();
    }

    [SkippableFact]
    public async Task EndWithNextWrite_OfAnOpenConnection_SaysCloseNotifyInTheSameWriteAndOnce()
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var model = Bind(false, context => context.CommonTlsContext.TlsParams.TlsMaximumProtocolVersion = Protocol.Tlsv12);
        var (server, client, transport) = await ConnectRawAsync(model);
        server.EndWithNextWrite();
        (await server.WriteAsync("last"u8.ToArray())).ShouldBeTrue();
        var written = new byte[200];
        var count = await transport.ReadAsync(written).AsTask().WaitAsync(Long);
        written[0].ShouldBe((byte)23, "what was written");
        var next = 5 + (written[3] << 8) + written[4];
        next.ShouldBeLessThan(count);
        written[next].ShouldBe((byte)21, "an alert");
        count.ShouldBe(next + 5 + (written[next + 3] << 8) + written[next + 4]);
        (await server.WriteAsync(new byte[1])).ShouldBeFalse();
        await server.DisposeAsync();
        (await transport.ReadAsync(written).AsTask().WaitAsync(Long)).ShouldBe(0);
        server.IsEndedByPeer.ShouldBeFalse();
        await client.DisposeAsync();
    }

    [SkippableFact]
    public async Task Dispose_PeerThatTakesNothingMore_IsNotWaitedFor()
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var (one, other) = MemoryTransport.CreatePair();
        var accepting = Bind(false).AcceptAsync(one, default, "", CancellationToken.None).AsTask();
        using var client = Client(other, out _);
        await client.AuthenticateAsClientAsync(Options([], SslProtocols.None)).WaitAsync(Long);
        var server = (await accepting.WaitAsync(Long)).ShouldNotBeNull();
        one.Block();
        var writing = server.WriteAsync(new byte[10]).AsTask();
        await server.DisposeAsync().AsTask().WaitAsync(Long);
        (await writing.WaitAsync(Long)).ShouldBeFalse();
    }

    [SkippableFact]
    public async Task CipherSuites_WithNamesOfOpenSsl_AreAgreedOnWithoutSslStream()
    {
        Skip.IfNot(LibSsl.IsAvailable);
        var (server, client, _) = await ConnectAsync(
            Bind(false, context =>
            {
                context.CommonTlsContext.TlsParams.TlsMaximumProtocolVersion = Protocol.Tlsv12;
                context.CommonTlsContext.TlsParams.CipherSuites.Add("[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-ECDSA-AES256-GCM-SHA384]");
            }),
            []);
        await using var both = server;
        server.ShouldBeOfType<OpenSslTransportConnection>();
        client.NegotiatedCipherSuite.ShouldBe(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384);
    }

    [SkippableTheory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Session_OfTls12_IsResumedByTicketOrIdentifier(bool noTickets, bool noIdentifiers)
    {
        Skip.IfNot(LibSsl.IsAvailable);
        (await ResumesAsync(noTickets, noIdentifiers)).ShouldBeTrue();
    }

    [SkippableFact]
    public async Task Session_WhereResumptionIsOff_IsNotResumed()
    {
        Skip.IfNot(LibSsl.IsAvailable);
        (await ResumesAsync(true, true)).ShouldBeFalse();
    }

    [Fact]
    public void Bind_CurveThatNobodyKnows_IsRefused()
    {
        var error = Errors(static context => context.CommonTlsContext.TlsParams.EcdhCurves.Add("P-42")).ShouldHaveSingleItem();
        error.IsPartial.ShouldBeFalse();
        error.FieldPath.ShouldBe("tls.common_tls_context.tls_params.ecdh_curves[0]");
    }

    [SkippableFact]
    public void Bind_Curves_TakeEffectButForSslStream()
    {
        Skip.IfNot(LibSsl.IsAvailable);
        Errors(static context => context.CommonTlsContext.TlsParams.EcdhCurves.Add(["P-256", "x25519", "prime256v1"])).ShouldBeEmpty();
        Errors(static context =>
        {
            context.CommonTlsContext.TlsParams.EcdhCurves.Add("P-256");
            context.RequireClientCertificate = true;
        }).ShouldBeEmpty();
        var error = Errors(static context =>
        {
            context.CommonTlsContext.TlsParams.EcdhCurves.Add("P-256");
            context.CommonTlsContext.TlsParams.TlsMinimumProtocolVersion = Protocol.Tlsv11;
        }).ShouldHaveSingleItem();
        error.IsPartial.ShouldBeTrue();
        error.FieldPath.ShouldBe("tls.common_tls_context.tls_params.ecdh_curves");
    }

    private IReadOnlyList<Nuncio.DataPlane.Binding.BindError> Errors(Action<TlsV3.DownstreamTlsContext> change)
    {
        var message = DownstreamTls.Message(_certificate);
        change(message);
        var errors = new Nuncio.DataPlane.Binding.BindErrors();
        DownstreamTlsModel.Bind(message, "tls", new SecretTable(), TimeProvider.System, errors);
        return errors.All;
    }

    private async Task<bool> ResumesAsync(bool noTickets, bool noIdentifiers)
    {
        var model = Bind(false, context =>
        {
            context.CommonTlsContext.TlsParams.TlsMaximumProtocolVersion = Protocol.Tlsv12;
            context.DisableStatelessSessionResumption = noTickets;
            context.DisableStatefulSessionResumption = noIdentifiers;
        });

        // The client remembers sessions by the server's name, which nobody else has here. It forgets them now and then, when others make many of them.
        var options = Options([], SslProtocols.Tls12);
        options.TargetHost = $"{Guid.NewGuid():N}.example";
        var isResumed = false;
        for (var i = 0; i < 10 && !isResumed; i++)
        {
            var (one, other) = MemoryTransport.CreatePair();
            var accepting = model.AcceptAsync(one, default, "", CancellationToken.None).AsTask();
            await using var client = Client(other, out _);
            await client.AuthenticateAsClientAsync(options).WaitAsync(Long);
            await using var server = (await accepting.WaitAsync(Long)).ShouldNotBeNull();
            isResumed = server.IsResumed;
            await server.WriteAsync(new byte[1]);
            await client.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Long);
            await client.ShutdownAsync();
        }

        return isResumed;
    }

    private DownstreamTlsModel Bind(bool platform, Action<TlsV3.DownstreamTlsContext>? change = null, params string[] protocols) =>
        DownstreamTls.Bind(
            _certificate,
            context =>
            {
                if (platform)
                {
                    context.CommonTlsContext.TlsParams.CipherSuites.Add("ECDHE-ECDSA-AES128-GCM-SHA256");
                    context.CommonTlsContext.TlsParams.CipherSuites.Add("TLS_ECDHE_ECDSA_WITH_AES_128_CCM");
                }

                change?.Invoke(context);
            },
            protocols);

    private static async Task<(TlsTransportConnection Server, SslStream Client, int Presented)> ConnectAsync(DownstreamTlsModel model, string[] protocols)
    {
        var (one, other) = MemoryTransport.CreatePair();
        var accepting = model.AcceptAsync(one, default, "", CancellationToken.None).AsTask();
        var client = Client(other, out var presented);
        await client.AuthenticateAsClientAsync(Options(protocols, SslProtocols.None)).WaitAsync(Long);
        return ((await accepting.WaitAsync(Long)).ShouldNotBeNull(), client, presented());
    }

    private static async Task<(TlsTransportConnection Server, SslStream Client, TransportConnection Transport)> ConnectRawAsync(DownstreamTlsModel model)
    {
        var (one, other) = MemoryTransport.CreatePair();
        var accepting = model.AcceptAsync(one, default, "", CancellationToken.None).AsTask();
        var client = Client(other, out _);
        await client.AuthenticateAsClientAsync(Options([], SslProtocols.None)).WaitAsync(Long);
        return ((await accepting.WaitAsync(Long)).ShouldNotBeNull(), client, other);
    }

    private static SslStream Client(TransportConnection transport, out Func<int> presented)
    {
        var count = 0;
        presented = () => count;
        return new SslStream(new TransportStream(transport, default), false, (_, _, chain, _) =>
        {
            count = chain!.ChainPolicy.ExtraStore.Count;
            return true;
        });
    }

    private static SslClientAuthenticationOptions Options(string[] protocols, SslProtocols versions) => new()
    {
        TargetHost = "localhost",
        EnabledSslProtocols = versions,
        ApplicationProtocols = protocols.Length > 0 ? [.. protocols.Select(name => new SslApplicationProtocol(name))] : null,
    };
}

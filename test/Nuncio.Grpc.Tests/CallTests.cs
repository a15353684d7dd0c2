using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.Testing;

namespace Nuncio.Grpc.Tests;

/// <summary>Our client and our server with each other.</summary>
public sealed class CallTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TaskCompletionSource _waitBegan = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _waitEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private GrpcServer _server = null!;
    private SocketGrpcTransport _transport = null!;
    private GrpcClient _client = null!;

    public async Task InitializeAsync()
    {
        _server = await EchoService.StartAsync(EchoService.Table(_waitBegan, _waitEnded));
        _client = EchoService.Client(_server, out _transport);
    }

    public async Task DisposeAsync()
    {
        _transport.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Unary_Answered_GivesTheMessage()
    {
        var answer = await _client.UnaryAsync(EchoService.Say, new StringValue { Value = "hello" }, GrpcCallOptions.Default);

        answer.Value.ShouldBe("you said hello");
    }

    [Fact]
    public async Task Unary_WithMetadata_CarriesItBothWays()
    {
        var headers = new GrpcMetadata();
        headers.Add("X-Said", "a");
        await using var call = await _client.ServerStreamingAsync(EchoService.Say, new StringValue(), new GrpcCallOptions { Headers = headers });

        (await call.ReadAsync()).ShouldNotBeNull();
        (await call.ReadAsync()).ShouldBeNull();

        call.Headers.Get("x-heard").ShouldBe("a");
        call.Trailers.Get("x-after").ShouldBe("all");
    }

    [Fact]
    public async Task Unary_Refused_GivesCodeAndText()
    {
        var thrown = await Should.ThrowAsync<GrpcStatusException>(
            async () => await _client.UnaryAsync(EchoService.Say, new StringValue { Value = "refuse" }, GrpcCallOptions.Default));

        thrown.Status.ShouldBe(new GrpcStatus(GrpcStatusCode.PermissionDenied, "not größer"));
    }

    [Fact]
    public async Task Unary_WhoseHandlerCrashes_SaysNothingOfTheReason()
    {
        var thrown = await Should.ThrowAsync<GrpcStatusException>(
            async () => await _client.UnaryAsync(EchoService.Say, new StringValue { Value = "crash" }, GrpcCallOptions.Default));

        thrown.Status.Code.ShouldBe(GrpcStatusCode.Unknown);
        thrown.Status.Message.ShouldNotContain("secret");
    }

    [Fact]
    public async Task Unary_OfAnUnknownMethod_IsUnimplemented()
    {
        var thrown = await Should.ThrowAsync<GrpcStatusException>(
            async () => await _client.UnaryAsync(new GrpcMethod<StringValue, StringValue>("test.Echo", "No"), new StringValue(), GrpcCallOptions.Default));

        thrown.Status.Code.ShouldBe(GrpcStatusCode.Unimplemented);
    }

    [Fact]
    public async Task Unary_LargerThanTheServerBears_IsRefused()
    {
        var thrown = await Should.ThrowAsync<GrpcStatusException>(
            async () => await _client.UnaryAsync(EchoService.Say, new StringValue { Value = new string('x', 200_000) }, GrpcCallOptions.Default));

        thrown.Status.Code.ShouldBe(GrpcStatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task Unary_AnsweredByMoreThanTheClientBears_IsRefused()
    {
        var client = new GrpcClient(_transport, new GrpcClientOptions { MaxReceiveMessageLength = 10 });

        var thrown = await Should.ThrowAsync<GrpcStatusException>(
            async () => await client.UnaryAsync(EchoService.Say, new StringValue { Value = "hello" }, GrpcCallOptions.Default));

        thrown.Status.Code.ShouldBe(GrpcStatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task Unary_PastItsDeadline_EndsAtBothEnds()
    {
        // On a busy machine a short deadline passes before the handler has the call: then there is nothing to end at the server.
        for (var deadline = TimeSpan.FromMilliseconds(100); !_waitBegan.Task.IsCompleted && deadline < Patience; deadline *= 3)
        {
            var thrown = await Should.ThrowAsync<GrpcStatusException>(
                async () => await _client.UnaryAsync(EchoService.Wait, new StringValue(), new GrpcCallOptions { Timeout = deadline }));

            thrown.Status.Code.ShouldBe(GrpcStatusCode.DeadlineExceeded);
        }

        await _waitEnded.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task Unary_GivenUp_EndsAtTheServerToo()
    {
        using var given = new CancellationTokenSource();
        var call = _client.UnaryAsync(EchoService.Wait, new StringValue(), GrpcCallOptions.Default, given.Token);
        await _waitBegan.Task.WaitAsync(Patience);
        await given.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(async () => await call);
        await _waitEnded.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task ServerStreaming_EndedByAnError_GivesTheMessagesFirst()
    {
        await using var call = await _client.ServerStreamingAsync(EchoService.Count, new Int32Value { Value = 3 }, GrpcCallOptions.Default);
        var got = new List<string>();

        var thrown = await Should.ThrowAsync<GrpcStatusException>(async () =>
        {
            await foreach (var message in call.ReadAllAsync()) got.Add(message.Value);
        });

        got.ShouldBe(["1", "2", "3"]);
        thrown.Status.Code.ShouldBe(GrpcStatusCode.OutOfRange);
    }

    [Fact]
    public async Task Duplex_Talking_AnswersEachMessageBeforeTheNextIsSent()
    {
        await using var call = await _client.DuplexAsync(EchoService.Talk, GrpcCallOptions.Default);
        foreach (var word in new[] { "a", "b", "c" })
        {
            await call.WriteAsync(new StringValue { Value = word });
            (await call.ReadAsync())!.Value.ShouldBe(word.ToUpperInvariant());
        }

        await call.CompleteAsync();
        (await call.ReadAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task ServerStreaming_ToAReaderThatDoesNotRead_MakesTheWriterWait()
    {
        var written = 0;
        var method = new GrpcMethod<StringValue, BytesValue>("test.Flood", "Pour");
        var table = new GrpcServiceTable().ServerStreaming(method, async (_, responses, _) =>
        {
            var message = new BytesValue { Value = Google.Protobuf.ByteString.CopyFrom(new byte[10_000]) };
            for (; written < 10_000; Interlocked.Increment(ref written)) await responses.WriteAsync(message);
        });
        await using var server = await EchoService.StartAsync(table);
        using var socket = new SocketGrpcTransport(new Uri($"http://127.0.0.1:{server.Port}"));
        await using var call = await new GrpcClient(socket).ServerStreamingAsync(method, new StringValue(), GrpcCallOptions.Default);
        (await call.ReadAsync()).ShouldNotBeNull();

        // It stands still once the windows and buffers are full.
        var before = -1;
        while (before != Volatile.Read(ref written))
        {
            before = Volatile.Read(ref written);
            await Task.Delay(300);
        }

        before.ShouldBeLessThan(9_000);
        var read = 1;
        while (await call.ReadAsync() is not null) read++;
        read.ShouldBe(10_000);
    }

    [Fact]
    public async Task Server_Stopping_TellsItsHandlers()
    {
        var call = _client.UnaryAsync(EchoService.Wait, new StringValue(), GrpcCallOptions.Default).AsTask();
        await _client.UnaryAsync(EchoService.Say, new StringValue { Value = "x" }, GrpcCallOptions.Default);

        await _waitBegan.Task.WaitAsync(Patience);
        await _server.StopAsync(CancellationToken.None).WaitAsync(Patience);

        (await Should.ThrowAsync<GrpcStatusException>(() => call.WaitAsync(Patience))).Status.Code.ShouldBe(GrpcStatusCode.Unavailable);
    }

    [Fact]
    public async Task Server_Absent_IsUnavailable()
    {
        using var transport = new SocketGrpcTransport(new Uri($"http://127.0.0.1:{FreePort.Next()}"));

        var thrown = await Should.ThrowAsync<GrpcStatusException>(
            async () => await new GrpcClient(transport).UnaryAsync(EchoService.Say, new StringValue(), GrpcCallOptions.Default));

        thrown.Status.Code.ShouldBe(GrpcStatusCode.Unavailable);
    }

    [Fact]
    public async Task Server_OnAUnixSocket_Answers()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "s");
        await using var server = await GrpcServer.StartAsync(
            new GrpcServerOptions { Address = new UnixDomainSocketEndPoint(path) }, EchoService.Table(), NullLoggerFactory.Instance);
        using var transport = new SocketGrpcTransport(new Uri("http://server"), new SocketGrpcTransportOptions { UnixSocketPath = path });

        var answer = await new GrpcClient(transport).UnaryAsync(EchoService.Say, new StringValue { Value = "hello" }, GrpcCallOptions.Default);

        answer.Value.ShouldBe("you said hello");
    }

    [Fact]
    public async Task Server_OfTls_AsksForTheClientsCertificate()
    {
        using var certificate = TestCertificate.Create(["server"]);
        using var client = TestCertificate.Create(["client"]);
        using var other = TestCertificate.Create(["other"]);
        var options = new GrpcServerOptions
        {
            Address = new IPEndPoint(IPAddress.Loopback, 0),
            Certificate = certificate.Certificate,
            AcceptClientCertificate = (peer, _) => peer.Thumbprint == client.Certificate.Thumbprint,
        };
        await using var server = await GrpcServer.StartAsync(options, EchoService.Table(), NullLoggerFactory.Instance);

        async Task<string> SayAsync(TestCertificate? shown)
        {
            var tls = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true };
            if (shown is not null) tls.ClientCertificates = [shown.Certificate];
            using var transport = new SocketGrpcTransport(new Uri($"https://localhost:{server.Port}"), new SocketGrpcTransportOptions { Tls = tls });
            return (await new GrpcClient(transport).UnaryAsync(EchoService.Say, new StringValue { Value = "x" }, GrpcCallOptions.Default)).Value;
        }

        (await SayAsync(client)).ShouldBe("you said x");
        // TLS 1.3 refuses a client after its handshake: the alert and the reset of the first stream race.
        (await Should.ThrowAsync<GrpcStatusException>(() => SayAsync(other))).Status.Code.ShouldBeOneOf(GrpcStatusCode.Unavailable, GrpcStatusCode.Cancelled);
        (await Should.ThrowAsync<GrpcStatusException>(() => SayAsync(null))).Status.Code.ShouldBeOneOf(GrpcStatusCode.Unavailable, GrpcStatusCode.Cancelled);
    }

    [Fact]
    public async Task ReconnectingStream_WhoseServerReturns_GoesOn()
    {
        var port = FreePort.Next();
        using var transport = new SocketGrpcTransport(new Uri($"http://127.0.0.1:{port}"));
        var lost = 0;
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var end = new CancellationTokenSource();
        var stream = new GrpcReconnectingStream<StringValue, StringValue>(
            new GrpcClient(transport), EchoService.Talk, new GrpcBackOff(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(50), Random.Shared),
            TimeProvider.System)
        {
            Lost = (_, _) => Interlocked.Increment(ref lost),
        };
        var running = stream.RunAsync(async (call, well, cancellation) =>
        {
            await call.WriteAsync(new StringValue { Value = "x" }, cancellation);
            await foreach (var _ in call.ReadAllAsync(cancellation))
            {
                well();
                heard.TrySetResult();
            }
        }, end.Token);
        for (var tries = 0; Volatile.Read(ref lost) < 3; tries++)
        {
            tries.ShouldBeLessThan(3000);
            await Task.Delay(10);
        }

        await using (await EchoService.StartAsync(port: port))
        {
            await heard.Task.WaitAsync(Patience);
        }

        heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (await EchoService.StartAsync(port: port))
        {
            await heard.Task.WaitAsync(Patience);
        }

        await end.CancelAsync();
        await running.WaitAsync(Patience);
    }

    // A control plane that stops while its clients answer: whoever follows it must hear a status, and try again.
    [Fact]
    public async Task Duplex_WrittenToAfterTheServerHasEndedIt_FailsWithAStatus()
    {
        using var limit = new CancellationTokenSource(Patience);
        await using var call = await _client.DuplexAsync(EchoService.Leave, GrpcCallOptions.Default, limit.Token);
        var told = await Should.ThrowAsync<GrpcStatusException>(async () => await call.ReadAsync(limit.Token));

        var thrown = await Should.ThrowAsync<GrpcStatusException>(async () =>
        {
            while (true) await call.WriteAsync(new StringValue { Value = "and?" }, limit.Token);
        });

        told.Status.ShouldBe(new GrpcStatus(GrpcStatusCode.Unavailable, "not today"));
        thrown.Status.Code.ShouldBe(GrpcStatusCode.Unavailable);
    }
}

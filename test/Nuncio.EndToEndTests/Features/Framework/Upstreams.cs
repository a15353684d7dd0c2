using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Security;
using System.Text;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.Features;

/// <summary>
/// The servers behind a gateway, made when a manifest names them. <c>a</c> talks HTTP/1.1 and answers 200 with what it was asked; <c>tls:a</c> does so over
/// TLS,
/// <c>mtls:a</c> wants a client certificate, <c>h2:a</c> talks HTTP/2 in the clear (and gRPC), <c>tcp:a</c> says its name and sends bytes back,
/// <c>tlstcp:a</c> does so over TLS, <c>silent:a</c> never answers, <c>sick:a</c> answers 503 to paths below /health, <c>closed:a</c> is a port where nothing
/// listens, <c>full:a</c> one where connections are never accepted; <c>authz</c>, <c>ratelimit</c>, <c>als</c> and <c>otlp</c> are <see cref="GrpcUpstream"/>s;
/// <c>node:script</c> is a server of the folder NodePeers, for tests that ask <see cref="NodePeers.NodePeer.Require"/> first.
/// <para>The request may say how it is answered: <c>x-answer-status: N</c>, <c>x-answer-header: name: value</c>, <c>x-answer-body: text</c>,
/// <c>x-answer-repeat: N</c> (the body so often), <c>x-answer-gate: name</c> (not before <see cref="OpenGate"/>), <c>x-answer-failures: key N</c> (503 the
/// first N times that the key is seen).</para>
/// </summary>
public sealed class Upstreams : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<(int Port, IAsyncDisposable? Server)>> _servers = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<BackendRequest>> _requests = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();
    private readonly ConcurrentDictionary<string, int> _failures = new();
    private readonly ConcurrentDictionary<string, int> _open = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<(string Path, ProtoFields Message)>> _messages = new();
    private readonly TestCertificate _certificate = TestCertificate.Create(["upstream.example.com", "127.0.0.1"]);

    /// <summary>The certificates that manifests name.</summary>
    public Certificates Certificates { get; } = new();

    /// <summary>What stands for a name in manifests: a server's address, its port alone where the name ends in <c>.port</c>, or the data of a Secret.</summary>
    public string Placeholder(string name) => Certificates.SecretData(name) is { } data
        ? data
        : name.EndsWith(".port", StringComparison.Ordinal)
        ? Port(name[..^5]).ToString(CultureInfo.InvariantCulture)
            : Address(name);

    /// <summary>The address of a server.</summary>
    public string Address(string name) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port(name)}");

    /// <summary>Its port on 127.0.0.1.</summary>
    public int Port(string name) => _servers.GetOrAdd(name, _ => new Lazy<(int Port, IAsyncDisposable? Server)>(() => Start(name))).Value.Port;

    /// <summary>What a server was asked so far.</summary>
    public ConcurrentQueue<BackendRequest> Requests(string name) => _requests.GetOrAdd(name, _ => []);

    /// <summary>The messages that a gRPC service got so far, with the paths that they were sent to.</summary>
    public ConcurrentQueue<(string Path, ProtoFields Message)> Messages(string name) => _messages.GetOrAdd(name, _ => []);

    /// <summary>Waits until a gRPC service has got a message: logs and traces are sent whenever it suits.</summary>
    public async Task<ProtoFields> WaitForMessageAsync(string name, Func<string, ProtoFields, bool> which)
    {
        ProtoFields? found = null;
        await Until.TrueAsync(
            () => (found = Messages(name).FirstOrDefault(message => which(message.Path, message.Message)).Message) is not null,
            () => $"{Messages(name).Count} others came",
            $"a message for {name}");
        return found!;
    }

    /// <summary>How many connections a plain server has open.</summary>
    public int Open(string name) => _open.GetValueOrDefault(name);

    /// <summary>Waits until the gateway has closed all connections to a plain server.</summary>
    public async Task WaitUntilNoneIsOpenAsync(string name)
    {
        await Until.TrueAsync(() => Open(name) == 0, () => $"it still has {Open(name)}", $"no connection to the upstream {name}");
    }

    /// <summary>Lets requests with <c>x-answer-gate</c> of this name be answered.</summary>
    public void OpenGate(string name) => Gate(name).TrySetResult();

    /// <summary>Waits until a server has been asked something; other than the response, mirrored requests come whenever they come.</summary>
    public async Task<BackendRequest> WaitForRequestAsync(string name, Func<BackendRequest, bool> which)
    {
        BackendRequest? found = null;
        await Until.TrueAsync(
            () => (found = Requests(name).FirstOrDefault(which)) is not null,
            () => $"it was asked:\n{string.Join('\n', Requests(name))}",
            $"a request to the upstream {name}");
        return found!;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var gate in _gates.Values) gate.TrySetResult();
        foreach (var server in _servers.Values)
        {
            if (server.Value.Server is { } running) await running.DisposeAsync();
        }

        _certificate.Dispose();
        Certificates.Dispose();
    }

    /// <summary>Keeps a request and makes the bytes of its answer; shared with <see cref="KestrelUpstream"/>.</summary>
    internal async Task<(int Status, List<KeyValuePair<string, string>> Headers, string Body)> AnswerAsync(
        string name, BackendRequest request, CancellationToken cancellationToken)
    {
        Requests(name).Enqueue(request);
        if (request["x-answer-gate"] is { } gate) await Gate(gate).Task.WaitAsync(cancellationToken);
        var status = request["x-answer-status"] is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : 200;
        if (request["x-answer-failures"] is { } failures)
        {
            var words = failures.Split(' ');
            if (_failures.AddOrUpdate(words[0], 1, (_, count) => count + 1) <= int.Parse(words[1], CultureInfo.InvariantCulture)) status = 503;
        }

        if (name.StartsWith("sick:", StringComparison.Ordinal) && request.Target.StartsWith("/health", StringComparison.Ordinal)) status = 503;
        var headers = new List<KeyValuePair<string, string>> { new("x-upstream", name) };
        foreach (var (header, value) in request.Headers)
        {
            if (!header.Equals("x-answer-header", StringComparison.OrdinalIgnoreCase)) continue;
            // Several of them may have been joined on the way.
            foreach (var wanted in value.Split(','))
            {
                var colon = wanted.IndexOf(':', StringComparison.Ordinal);
                headers.Add(new(wanted[..colon].Trim(), wanted[(colon + 1)..].Trim()));
            }
        }

        var body = request["x-answer-body"] ?? $"{request}\n{request.BodyText}";
        if (request["x-answer-repeat"] is { } times) body = new StringBuilder().Insert(0, body, int.Parse(times, CultureInfo.InvariantCulture)).ToString();
        return (status, headers, body);
    }

    private TaskCompletionSource Gate(string name) => _gates.GetOrAdd(name, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private (int Port, IAsyncDisposable? Server) Start(string name)
    {
        var kind = name.Contains(':', StringComparison.Ordinal) ? name[..name.IndexOf(':', StringComparison.Ordinal)] : "";
        if (kind is "tls" or "mtls" or "h2")
        {
            var kestrel = new KestrelUpstream(this, name, kind == "h2" ? null : _certificate.Certificate, kind == "mtls");
            return (kestrel.Port, kestrel);
        }

        if (kind is "authz" or "ratelimit" or "als" or "otlp")
        {
            var grpc = new GrpcUpstream(kind, (path, message) => Messages(name).Enqueue((path, message)));
            return (grpc.Port, grpc);
        }

        if (kind == "node")
        {
            var node = NodePeers.NodePeer.StartServerAsync(name[5..]).GetAwaiter().GetResult();
            return (node.Port, node);
        }

        if (kind == "closed") return (FreePort.Next(), null);
        if (kind == "full")
        {
            var full = new FullBacklog();
            return (full.Port, full);
        }

        var backend = kind switch
        {
            "silent" => WireBackend.Start(Conversations.Silent),
            "tcp" => WireBackend.Start(SayNameAndEcho(name)),
            "tlstcp" => WireBackend.Start(SayNameAndEcho(name), _certificate.Certificate),
            _ => WireBackend.Start(Http(name)),
        };
        return (backend.Port, backend);
    }

    private BackendConversation Http(string name) => async (wire, cancellationToken) =>
    {
        _open.AddOrUpdate(name, 1, (_, open) => open + 1);
        try
        {
            await TalkAsync(name, wire, cancellationToken);
        }
        finally
        {
            _open.AddOrUpdate(name, 0, (_, open) => open - 1);
        }
    };

    private async Task TalkAsync(string name, HttpWire wire, CancellationToken cancellationToken)
    {
        while (await wire.ReadRequestAsync(cancellationToken) is { } request)
        {
            if (request["upgrade"] is not null)
            {
                Requests(name).Enqueue(request);
                await Conversations.SwitchAndSendBackAsync(wire, request, cancellationToken);
                return;
            }

            var (status, headers, body) = await AnswerAsync(name, request, cancellationToken);
            var lines = string.Concat(headers.Select(header => $"{header.Key}: {header.Value}\r\n"));
            await wire.WriteAsync(request.Method == "HEAD" ? $"HTTP/1.1 {status} Reason\r\n{lines}\r\n" : Responses.With(status, body, lines), cancellationToken);
        }
    }

    private static BackendConversation SayNameAndEcho(string name) => async (wire, cancellationToken) =>
    {
        var server = wire.Stream is SslStream tls ? $"{name} {tls.TargetHostName}" : name;
        await wire.WriteAsync(server + "\r\n", cancellationToken);
        for (int next; (next = await wire.ReadByteAsync(cancellationToken)) >= 0;) await wire.WriteAsync(new[] { (byte)next }, cancellationToken);
    };
}

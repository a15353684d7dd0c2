using System.Collections.Concurrent;
using Nuncio.ParityTests.Static;
using Nuncio.Testing.Backends;

namespace Nuncio.ParityTests;

/// <summary>An upstream that answers as the request's <c>x-do</c> says, by default with what it was asked.</summary>
internal sealed class ParityBackend : IPlaneBackend
{
    private readonly WireBackend _backend;

    public ParityBackend() => _backend = WireBackend.Start(TalkAsync);

    public int Port => _backend.Port;

    public int Connections => _backend.Accepted;

    public ConcurrentQueue<BackendRequest> Requests { get; } = [];

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    private async Task TalkAsync(HttpWire wire, CancellationToken cancellation)
    {
        while (await wire.ReadRequestAsync(cancellation) is { } request)
        {
            Requests.Enqueue(request);
            var what = request[request.Target.StartsWith("/authz", StringComparison.Ordinal) ? "x-authz" : "x-do"] ?? "";
            if (what == "silent")
            {
                await wire.ReadToEndAsync(cancellation);
                return;
            }

            if (what == "close") return;
            if (what == "101" && request["upgrade"] is not null)
            {
                await Conversations.SwitchAndSendBackAsync(wire, request, cancellation);
                return;
            }

            await wire.WriteAsync(Answer(what, request), cancellation);
            if (what is "untilclose" or "http10" or "saysclose" or "garbage" or "bothframings" or "twolengths" or "badheader" or "hugeheader" or "101") return;
        }
    }

    private static string Answer(string what, BackendRequest request) => what switch
    {
        "204" => "HTTP/1.1 204 No Content\r\n\r\n",
        "304" => "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n",
        "100" => "HTTP/1.1 100 Continue\r\n\r\n" + Responses.Ok("after"),
        "103" => "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + Responses.Ok("after"),
        "101" => "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: something\r\n\r\n",
        "chunked" => Responses.Chunked(["one", "two"]),
        "trailers" => Responses.Chunked(["one"], "x-trailer: last\r\n"),
        "untilclose" => "HTTP/1.1 200 OK\r\n\r\nuntil the end",
        "http10" => "HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nold",
        "saysclose" => Responses.Ok("bye", "connection: close\r\n"),
        "garbage" => Responses.Garbage,
        "bothframings" => Responses.BothFramings("abc"),
        "twolengths" => "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        "badheader" => "HTTP/1.1 200 OK\r\nbad header: 1\r\ncontent-length: 0\r\n\r\n",
        "hugeheader" => Responses.Ok("", $"x-huge: {new string('a', 100_000)}\r\n"),
        "envoyheaders" => Responses.Ok("a", "x-envoy-upstream-service-time: 99\r\nx-envoy-overloaded: true\r\nx-envoy-degraded: 1\r\n"),
        "server" => Responses.Ok("a", "server: mine\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"),
        "cookies" => Responses.Ok("a", "set-cookie: a=1\r\nset-cookie: b=2\r\n"),
        "text" => Responses.Ok(new string('t', 5000), "content-type: text/plain\r\n"),
        "allow" => Responses.Ok("", "x-user: somebody\r\nx-other: 1\r\nset-cookie: a=1\r\n"),
        "deny" => Responses.With(403, request.Method == "HEAD" ? "" : "denied", "x-why: because\r\nwww-authenticate: Basic\r\nset-cookie: b=2\r\n"),
        "moved" => Responses.With(302, "", "location: https://login.example.com/\r\n"),
        "grpc" => "HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n7\r\n\0\0\0\0\u0002\u0008\u0007\r\n0\r\ngrpc-status: "
            + "0\r\n\r\n",
        "retriable" => Responses.With(200, "again", "x-retry: 1\r\n"),
        "cased" => Responses.Ok("a", "X-CamelCase: 1\r\nx-lower: 2\r\n"),
        "secret" => Responses.Ok($"{request}\n", "x-secret: 1\r\nx-answered: no\r\n"),
        "empty" => Responses.Ok(),
        "large" => Responses.Ok(new string('a', 300_000)),
        "noreason" => "HTTP/1.1 200\r\ncontent-length: 1\r\n\r\na",
        { Length: 3 } status when int.TryParse(status, out var code) => Responses.With(code, "as told"),
        _ => request.Method == "HEAD" ? "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n" : Responses.Ok($"{request}\n{request.BodyText}"),
    };
}

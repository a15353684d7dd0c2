using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Nuncio.DataPlane.Transport.Quic;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Features.Quic;

/// <summary>.NET's own client, which speaks nothing but HTTP/3 here. Its requests share a connection.</summary>
internal sealed class QuicClient : IDisposable
{
    private readonly HttpClient _client;
    private readonly string _host;

    /// <summary>A client that asks a gateway as this host.</summary>
    public QuicClient(FeatureGateway gateway, string host = "quic.example.com", X509Certificate2? certificate = null, string port = "")
    {
        _host = host;
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) =>
        {
            Shown = shown?.GetCertHashString();
            return true;
        };
        if (certificate is not null)
        {
            handler.SslOptions.ClientCertificates = [certificate];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }

        _client = new HttpClient(handler)
        {
            BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{gateway.Port(port)}")),
            DefaultRequestVersion = HttpVersion.Version30,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = Until.Limit,
        };
    }

    /// <summary>The certificate that the gateway has shown.</summary>
    public string? Shown { get; private set; }

    /// <summary>Skips a test where nobody can speak HTTP/3.</summary>
    public static void Require() => Skip.IfNot(QuicSupport.IsAvailable, "this machine has no libmsquic");

    /// <summary>Whether a connection, or a request on it, was refused.</summary>
    public static bool IsRefusal(Exception exception) => exception is HttpRequestException or AuthenticationException or IOException;

    /// <summary>A request whose answer is read to its end.</summary>
    public async Task<QuicReply> SendAsync(string method, string target, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var response = await OpenAsync(method, target, content, headers);
        var body = await response.Content.ReadAsByteArrayAsync();
        return new QuicReply(response, body);
    }

    /// <summary>A GET.</summary>
    public Task<QuicReply> GetAsync(string target, params (string Name, string Value)[] headers) => SendAsync("GET", target, null, headers);

    /// <summary>A request whose answer is there when its head is.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string method, string target, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), target)
        {
            Version = HttpVersion.Version30, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = content,
        };
        request.Headers.Host = _host;
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.Version.ShouldBe(HttpVersion.Version30);
        return response;
    }

    public void Dispose() => _client.Dispose();
}

/// <summary>An answer over HTTP/3, and what the upstream says it saw.</summary>
internal sealed class QuicReply
{
    private readonly Dictionary<string, string> _headers;

    public QuicReply(HttpResponseMessage response, byte[] body)
    {
        Status = (int)response.StatusCode;
        Bytes = body;
        _headers = response.Headers.Concat(response.Content.Headers).ToDictionary(
            header => header.Key, header => string.Join(',', header.Value), StringComparer.OrdinalIgnoreCase);
        Trailers = response.TrailingHeaders.ToDictionary(header => header.Key, header => string.Join(',', header.Value), StringComparer.OrdinalIgnoreCase);
    }

    public int Status { get; }

    public byte[] Bytes { get; }

    public string Text => System.Text.Encoding.Latin1.GetString(Bytes);

    public IReadOnlyDictionary<string, string> Trailers { get; }

    public string? this[string header] => _headers.GetValueOrDefault(header);

    /// <summary>The value of a request header that the upstream saw.</summary>
    public string? Seen(string header) => Text.Split("\n\n")[0].Split('\n').FirstOrDefault(
        line => line.StartsWith(header + ":", StringComparison.OrdinalIgnoreCase))?[(header.Length + 1)..].Trim();

    public void ShouldBeFrom(string upstream) => this["x-upstream"].ShouldBe(upstream, $"{Status}\n{Text}");
}

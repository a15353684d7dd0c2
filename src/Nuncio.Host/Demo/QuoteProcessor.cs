using System.Globalization;
using System.Text;
using System.Text.Json;
using Nuncio.DataPlane.Http;

namespace Nuncio.Host.Demo;

/// <summary>The demo service: answers every request with a saying, and with what arrived of the request.</summary>
internal sealed class QuoteProcessor(string server, TimeProvider time) : PageProcessor
{
    private static readonly string[] Quotes =
    [
        "A gateway is a promise about what is behind it.",
        "The route that wins is the one that was meant.",
        "Every 404 deserves an explanation.",
        "What is not concerned is not disturbed.",
        "Nothing fails open.",
    ];

    private int _next = -1;

    protected override Page Answer(string method, string target, HttpServerStream stream)
    {
        var quote = Quotes[(int)((uint)Interlocked.Increment(ref _next) % (uint)Quotes.Length)];
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("server", server);
            json.WriteString("quote", quote);
            json.WriteString("time", time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture));
            json.WriteString("method", method);
            json.WriteString("path", target);
            json.WriteString("host", Encoding.Latin1.GetString(stream.RequestHeaders.Get(KnownHeader.Authority)));
            json.WriteEndObject();
        }

        body.WriteByte((byte)'\n');
        return new Page(200, "application/json", body.ToArray());
    }
}

using System.Buffers.Text;
using System.Text;
using Nuncio.DataPlane.Http;

namespace Nuncio.Host;

/// <summary>Answers with whole pages made in memory.</summary>
public abstract class PageProcessor : HttpStreamProcessor
{
    /// <inheritdoc/>
    public sealed override async ValueTask ProcessAsync(HttpServerStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.RequestEndedWithHeaders)
            stream.CloseConnectionAfterResponse();
        var method = Encoding.Latin1.GetString(stream.RequestHeaders.Get(KnownHeader.Method));
        var target = Encoding.Latin1.GetString(stream.RequestHeaders.Get(KnownHeader.Path));
        await WriteAsync(stream, method == "HEAD", await AnswerAsync(method, target, stream));
    }

    /// <inheritdoc/>
    public sealed override ValueTask RejectAsync(HttpServerStream stream, int status, string details)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return WriteAsync(stream, false, Page.Text(status, details + "\n"));
    }

    /// <summary>Makes the page for a request where that may take a while.</summary>
    protected virtual ValueTask<Page> AnswerAsync(string method, string target, HttpServerStream stream) =>
        ValueTask.FromResult(Answer(method, target, stream));

    /// <summary>Makes the page for a request.</summary>
    /// <param name="method">For instance <c>GET</c>.</param>
    /// <param name="target">Path and query.</param>
    /// <param name="stream">The request, for its headers and connection.</param>
    protected abstract Page Answer(string method, string target, HttpServerStream stream);

    private static async ValueTask WriteAsync(HttpServerStream stream, bool headOnly, Page page)
    {
        var headers = new HeaderMap { Status = page.Status };
        headers.Add(KnownHeader.ContentType, Encoding.ASCII.GetBytes(page.ContentType));
        AddLength(headers, page.Body.Length);
        var ends = headOnly || page.Body.IsEmpty;
        await stream.WriteHeadersAsync(headers, ends);
        if (!ends)
            await stream.WriteBodyAsync(page.Body, endStream: true);
        await stream.FlushAsync();
    }

    private static void AddLength(HeaderMap headers, int length)
    {
        Span<byte> digits = stackalloc byte[11];
        Utf8Formatter.TryFormat(length, digits, out var written);
        headers.Add(KnownHeader.ContentLength, digits[..written]);
    }
}

/// <summary>A whole response.</summary>
/// <param name="Status">For instance 200.</param>
/// <param name="ContentType">The media type.</param>
/// <param name="Body">All of it.</param>
public readonly record struct Page(int Status, string ContentType, ReadOnlyMemory<byte> Body)
{
    /// <summary>A plain text.</summary>
    public static Page Text(int status, string text) => new(status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text));
}

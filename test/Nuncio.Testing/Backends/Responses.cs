using System.Globalization;
using System.Text;

namespace Nuncio.Testing.Backends;

/// <summary>Bytes of responses, well-behaved and not, as Latin-1 text.</summary>
public static class Responses
{
    /// <summary>200 with a body and its length.</summary>
    public static string Ok(string body = "", string headers = "") => With(200, body, headers);

    /// <summary>A status with a body and its length; headers are whole lines with CR LF.</summary>
    public static string With(int status, string body = "", string headers = "") => string.Create(
        CultureInfo.InvariantCulture, $"HTTP/1.1 {status} Reason\r\ncontent-length: {Encoding.UTF8.GetByteCount(body)}\r\n{headers}\r\n{Latin(body)}");

    /// <summary>200 in chunks, with trailers where given (whole lines).</summary>
    public static string Chunked(IEnumerable<string> chunks, string trailers = "", string headers = "")
    {
        var text = new StringBuilder($"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n{headers}\r\n");
        foreach (var chunk in chunks) text.Append(CultureInfo.InvariantCulture, $"{Encoding.UTF8.GetByteCount(chunk):x}\r\n{Latin(chunk)}\r\n");
        return text.Append("0\r\n").Append(trailers).Append("\r\n").ToString();
    }

    /// <summary>A length that is not the body's: larger leaves the reader waiting, smaller leaves bytes for the next response.</summary>
    public static string LyingLength(int length, string body) =>
        string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");

    /// <summary>Two responses where one was asked for.</summary>
    public static string Twice(string body) => Ok(body) + Ok("stolen");

    /// <summary>Both a length and chunks.</summary>
    public static string BothFramings(string body) =>
        $"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n{body.Length:x}\r\n{body}\r\n0\r\n\r\n";

    /// <summary>Not HTTP.</summary>
    public static string Garbage => "SSH-2.0-OpenSSH_9.2\r\n\r\n";

    // The wire writes Latin-1; UTF-8 bytes are smuggled through it one by one.
    private static string Latin(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));
}

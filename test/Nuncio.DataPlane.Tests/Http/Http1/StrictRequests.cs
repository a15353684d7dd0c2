using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Nuncio.DataPlane.Tests.Http.Http1;

/// <summary>
/// Reads forwarded requests by the letter of RFC 9112, with no code of the proxy: whatever another reader could take in another way is a fault.
/// </summary>
internal static partial class StrictRequests
{
    /// <summary>The number of complete requests and whether there is an incomplete one after them; throws for anything ambiguous.</summary>
    public static (int Complete, bool HasRest) Read(string bytes)
    {
        var complete = 0;
        var at = 0;
        while (at < bytes.Length)
        {
            var end = bytes.IndexOf("\r\n\r\n", at, StringComparison.Ordinal);
            if (end < 0) return (complete, true);
            var (length, chunked) = ReadHead(bytes[at..(end + 2)]);
            at = end + 4;
            if (chunked ? !SkipChunks(bytes, ref at) : bytes.Length - at < length) return (complete, true);
            at += chunked ? 0 : (int)length;
            complete++;
        }

        return (complete, false);
    }

    private static (long Length, bool Chunked) ReadHead(string head)
    {
        if (Bare().IsMatch(head)) throw new InvalidDataException($"a bare control character in {head}");
        var lines = head[..^2].Split("\r\n");
        if (!RequestLine().IsMatch(lines[0])) throw new InvalidDataException($"the request line {lines[0]}");
        var hosts = 0;
        var framings = 0;
        var length = 0L;
        var chunked = false;
        foreach (var line in lines[1..])
        {
            var field = Field().Match(line);
            if (!field.Success) throw new InvalidDataException($"the line {line}");
            var value = field.Groups[2].Value.Trim(' ', '\t');
            switch (field.Groups[1].Value.ToLowerInvariant())
            {
                case "host":
                    hosts++;
                    break;
                case "content-length":
                    framings++;
                    if (!Digits().IsMatch(value)) throw new InvalidDataException($"the length {value}");
                    length = long.Parse(value, CultureInfo.InvariantCulture);
                    break;
                case "transfer-encoding":
                    framings++;
                    chunked = true;
                    if (value != "chunked") throw new InvalidDataException($"the coding {value}");
                    break;
                default:
                    break;
            }
        }

        return hosts != 1 || framings > 1 ? throw new InvalidDataException($"{hosts} hosts, {framings} framings in {head}") : (length, chunked);
    }

    private static bool SkipChunks(string bytes, ref int at)
    {
        while (true)
        {
            var end = bytes.IndexOf("\r\n", at, StringComparison.Ordinal);
            if (end < 0) return false;
            var line = bytes[at..end];
            if (!ChunkSize().IsMatch(line)) throw new InvalidDataException($"the chunk size {line}");
            var size = int.Parse(line, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            at = end + 2;
            if (size == 0) return SkipTrailers(bytes, ref at);
            at += size + 2;
            if (at > bytes.Length) return false;
            if (bytes[(at - 2)..at] != "\r\n") throw new InvalidDataException("a chunk is longer than it says");
        }
    }

    private static bool SkipTrailers(string bytes, ref int at)
    {
        while (bytes.IndexOf("\r\n", at, StringComparison.Ordinal) is >= 0 and var end)
        {
            var line = bytes[at..end];
            at = end + 2;
            if (line.Length == 0) return true;
            if (Bare().IsMatch(line) || !Field().IsMatch(line)) throw new InvalidDataException($"the trailer {line}");
        }

        return false;
    }

    [GeneratedRegex("(?<!\r)\n|\r(?!\n)|[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")]
    private static partial Regex Bare();

    [GeneratedRegex("^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^ \t]+ HTTP/1\\.1$")]
    private static partial Regex RequestLine();

    [GeneratedRegex("^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$", RegexOptions.Singleline)]
    private static partial Regex Field();

    [GeneratedRegex("^[0-9]{1,18}$")]
    private static partial Regex Digits();

    [GeneratedRegex("^[0-9a-fA-F]{1,7}$")]
    private static partial Regex ChunkSize();
}

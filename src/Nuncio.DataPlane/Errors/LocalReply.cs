using System.Text;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Errors;

/// <summary>An answer of our own to one cause: status, text, response flag and details as Envoy has them for it.</summary>
public sealed class LocalReply
{
    /// <summary>Of a cause.</summary>
    public LocalReply(int status, string details, ResponseFlags flags = ResponseFlags.None, string body = "")
    {
        Status = status;
        Details = details;
        Flags = flags;
        Body = Encoding.UTF8.GetBytes(body);
    }

    /// <summary>The status.</summary>
    public int Status { get; }

    /// <summary>%RESPONSE_CODE_DETAILS%.</summary>
    public string Details { get; }

    /// <summary>%RESPONSE_FLAGS%.</summary>
    public ResponseFlags Flags { get; }

    /// <summary>The text; may be empty.</summary>
    public ReadOnlyMemory<byte> Body { get; }
}

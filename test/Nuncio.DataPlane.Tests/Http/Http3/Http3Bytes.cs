using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Http.Http3.Qpack;
using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Tests.Http.Http3;

/// <summary>What a client writes, right or wrong.</summary>
internal static class Http3Bytes
{
    /// <summary>A frame type that means nothing (RFC 9114 section 7.2.8).</summary>
    public const long Grease = 0x21 + (0x1F * 7);

    public static byte[] Integer(long value)
    {
        var space = new byte[QuicInteger.MaxLength];
        return space[..QuicInteger.Write(space, value)];
    }

    public static byte[] Frame(long type, params ReadOnlySpan<byte> payload) => [.. Integer(type), .. Integer(payload.Length), .. payload];

    public static byte[] Settings(params (long Id, long Value)[] settings) =>
        Frame(Http3FrameType.Settings, [.. settings.SelectMany(setting => (byte[])[.. Integer(setting.Id), .. Integer(setting.Value)])]);

    public static byte[] Section(params (string Name, string Value)[] headers)
    {
        var output = new Http3OutputBuffer();
        QpackEncoder.Start(output);
        foreach (var (name, value) in headers)
        {
            var bytes = Encoding.Latin1.GetBytes(name);
            QpackEncoder.Write(output, KnownHeaders.Find(bytes), bytes, Encoding.Latin1.GetBytes(value));
        }

        var section = output.Written.ToArray();
        output.Release();
        return section;
    }

    public static byte[] Headers(params (string Name, string Value)[] headers) => Frame(Http3FrameType.Headers, Section(headers));

    public static byte[] Get(string path = "/", params (string Name, string Value)[] more) => Request("GET", path, more);

    public static byte[] Post(string path = "/", params (string Name, string Value)[] more) => Request("POST", path, more);

    public static byte[] Request(string method, string path, params (string Name, string Value)[] more) =>
        Headers([(":method", method), (":scheme", "https"), (":authority", "test"), (":path", path), .. more]);

    public static byte[] Data(params ReadOnlySpan<byte> data) => Frame(Http3FrameType.Data, data);

    public static byte[] Data(string data) => Data(Encoding.Latin1.GetBytes(data));
}

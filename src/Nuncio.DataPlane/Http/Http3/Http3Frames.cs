namespace Nuncio.DataPlane.Http.Http3;

/// <summary>Frame types (RFC 9114 section 7.2).</summary>
internal static class Http3FrameType
{
    public const long Data = 0x00;
    public const long Headers = 0x01;
    public const long CancelPush = 0x03;
    public const long Settings = 0x04;
    public const long PushPromise = 0x05;
    public const long GoAway = 0x07;
    public const long MaxPushId = 0x0D;

    /// <summary>Those of HTTP/2 that have no counterpart, which nobody may send (section 7.2.8).</summary>
    public static bool IsReserved(long type) => type is 0x02 or 0x06 or 0x08 or 0x09;
}

/// <summary>Types of unidirectional streams (RFC 9114 section 6.2, RFC 9204 section 4.2).</summary>
internal static class Http3StreamType
{
    public const long Control = 0x00;
    public const long Push = 0x01;
    public const long QpackEncoder = 0x02;
    public const long QpackDecoder = 0x03;
}

/// <summary>Settings (RFC 9114 section 7.2.4.1, RFC 9204 section 5, RFC 9220 section 3).</summary>
internal static class Http3Setting
{
    public const long QpackMaxTableCapacity = 0x01;
    public const long MaxFieldSectionSize = 0x06;
    public const long QpackBlockedStreams = 0x07;
    public const long EnableConnectProtocol = 0x08;

    /// <summary>Those of HTTP/2 that have no counterpart, which nobody may send.</summary>
    public static bool IsReserved(long setting) => setting is 0x00 or 0x02 or 0x03 or 0x04 or 0x05;
}

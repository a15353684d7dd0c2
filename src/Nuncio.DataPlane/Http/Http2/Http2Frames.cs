namespace Nuncio.DataPlane.Http.Http2;

/// <summary>Types of frames (RFC 9113 section 6).</summary>
internal enum Http2FrameType : byte
{
    Data = 0,
    Headers = 1,
    Priority = 2,
    RstStream = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
}

/// <summary>Identifiers of settings (RFC 9113 section 6.5.2, RFC 8441).</summary>
internal enum Http2Setting : ushort
{
    HeaderTableSize = 1,
    EnablePush = 2,
    MaxConcurrentStreams = 3,
    InitialWindowSize = 4,
    MaxFrameSize = 5,
    MaxHeaderListSize = 6,
    EnableConnectProtocol = 8,
}

/// <summary>Flags and sizes of frames.</summary>
internal static class Http2Frames
{
    public const int HeaderLength = 9;
    public const byte EndStream = 0x1;
    public const byte Acknowledgement = 0x1;
    public const byte EndHeaders = 0x4;
    public const byte Padded = 0x8;
    public const byte PriorityFlag = 0x20;

    /// <summary>SETTINGS_MAX_FRAME_SIZE before any SETTINGS, which is also what we announce and use.</summary>
    public const int DefaultMaxFrameSize = 16384;

    /// <summary>Flow-control windows before any SETTINGS.</summary>
    public const int DefaultWindow = 65535;

    /// <summary>The largest window there is.</summary>
    public const int MaxWindow = int.MaxValue;

    /// <summary>What a client sends first (RFC 9113 section 3.4).</summary>
    public static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;
}

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>How HTTP/1.1 is spoken with the endpoints of a cluster.</summary>
public sealed record Http1ClientOptions
{
    /// <summary>Envoy's defaults.</summary>
    public static Http1ClientOptions Default { get; } = new();

    /// <summary>The most bytes a response head may have (<c>max_response_headers_kb</c>, default 60 KiB).</summary>
    public int MaxHeaderBytes { get; init; } = 60 * 1024;

    /// <summary>The most header fields of a response (<c>max_headers_count</c>, default 100).</summary>
    public int MaxHeaderCount { get; init; } = 100;

    /// <summary>Request header names on the wire.</summary>
    public Http1HeaderCase HeaderCase { get; init; }

    /// <summary>Responses keep the spelling of their header names towards HTTP/1.1 clients (<c>preserve_case</c>).</summary>
    public bool PreserveCase { get; init; }

    /// <summary>With <see cref="PreserveCase"/>: names that the upstream did not send begin their words with capitals.</summary>
    public bool CapitalisesOthers { get; init; }

    /// <summary>Trailers of responses are handed on and request trailers sent (<c>enable_trailers</c>); otherwise they are dropped.</summary>
    public bool EnableTrailers { get; init; }
}

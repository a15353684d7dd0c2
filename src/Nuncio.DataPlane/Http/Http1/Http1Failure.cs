namespace Nuncio.DataPlane.Http.Http1;

/// <summary>Why a head was refused: the status to answer a client with, and Envoy's response code details.</summary>
/// <param name="Status">400, 403, 426, 431, 501 or 505.</param>
/// <param name="Details">As Envoy names it.</param>
internal sealed record Http1Failure(int Status, string Details)
{
    public static readonly Http1Failure Malformed = new(400, "http1.codec_error");
    public static readonly Http1Failure BadUrl = new(400, "http1.invalid_url");
    public static readonly Http1Failure HttpsInCleartext = new(403, "http1.https_url_on_plaintext_connection");
    public static readonly Http1Failure BadHeaderCharacter = new(400, "http1.invalid_characters");
    public static readonly Http1Failure LengthAndChunked = new(400, "http1.content_length_and_chunked_not_allowed");
    public static readonly Http1Failure BadContentLength = new(400, "http1.codec_error");
    public static readonly Http1Failure BadTransferEncoding = new(501, "http1.invalid_transfer_encoding");
    public static readonly Http1Failure TransferEncodingNotAllowed = new(400, "http1.transfer_encoding_not_allowed");
    public static readonly Http1Failure ConnectWithBody = new(400, "http1.body_disallowed");
    public static readonly Http1Failure DuplicateHost = new(400, "http1.duplicate_host");
    public static readonly Http1Failure HeadersTooLarge = new(431, "http1.headers_too_large");
    public static readonly Http1Failure TooManyHeaders = new(431, "http1.too_many_headers");
    public static readonly Http1Failure Http10 = new(426, "low_version");
    public static readonly Http1Failure BadVersion = new(400, "http1.codec_error");
    public static readonly Http1Failure NotHttp = new(400, "http1.codec_error");
    public static readonly Http1Failure BadUnderscore = new(400, "http1.unexpected_underscore");
}

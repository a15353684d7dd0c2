using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.Formatting;

namespace Nuncio.DataPlane.Model;

/// <summary>How answers of our own look (HcmV3.LocalReplyConfig).</summary>
public sealed class LocalReplyModel
{
    /// <summary>As they are.</summary>
    public static LocalReplyModel Default { get; } = new();

    /// <summary>The first that matches is applied.</summary>
    public IReadOnlyList<ResponseMapperModel> Mappers { get; init; } = [];

    /// <summary>The form of all bodies; null is the plain text.</summary>
    public LocalReplyBodyModel? Body { get; init; }
}

/// <summary>A form of bodies.</summary>
/// <param name="Format">Makes the body.</param>
/// <param name="ContentType">Of that body.</param>
public sealed record LocalReplyBodyModel(SubstitutionFormat Format, byte[] ContentType);

/// <summary>Changes local replies that match (HcmV3.ResponseMapper).</summary>
public sealed class ResponseMapperModel
{
    /// <summary>Which replies.</summary>
    public required AccessLogFilter Filter { get; init; }

    /// <summary>The new status; null keeps it.</summary>
    public int? Status { get; init; }

    /// <summary>The new text, for <c>%LOCAL_REPLY_BODY%</c>; null keeps it.</summary>
    public ReadOnlyMemory<byte>? Text { get; init; }

    /// <summary>Instead of <see cref="LocalReplyModel.Body"/>; null for that one.</summary>
    public LocalReplyBodyModel? Body { get; init; }

    /// <summary>Headers to add.</summary>
    public required HeaderMutationsModel Headers { get; init; }
}

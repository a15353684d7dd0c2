using System.Text;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds how local replies look.</summary>
internal static class LocalReplyBinder
{
    public static LocalReplyModel Bind(HcmV3.LocalReplyConfig? message, string path, BindErrors errors)
    {
        if (message is null)
        {
            return LocalReplyModel.Default;
        }

        var mappers = new List<ResponseMapperModel>(message.Mappers.Count);
        for (var i = 0; i < message.Mappers.Count; i++)
        {
            var mapper = message.Mappers[i];
            var at = BindErrors.Path(path, "mappers", i);
            if (AccessLogBinder.BindFilter(mapper.Filter, BindErrors.Path(at, "filter"), errors) is not { } filter)
            {
                errors.Add(BindErrors.Path(at, "filter"), "A mapper needs a filter.");
                continue;
            }

            mappers.Add(new ResponseMapperModel
            {
                Filter = filter,
                Status = (int?)mapper.StatusCode,
                Text = mapper.Body is null ? null : ValueBinder.Data(mapper.Body, BindErrors.Path(at, "body"), errors),
                Body = BindBody(mapper.BodyFormatOverride, BindErrors.Path(at, "body_format_override"), errors),
                Headers = ValueBinder.Mutations(mapper.HeadersToAdd, [], at, "headers_to_add", "", errors),
            });
        }

        return new LocalReplyModel { Mappers = mappers, Body = BindBody(message.BodyFormat, BindErrors.Path(path, "body_format"), errors) };
    }

    private static LocalReplyBodyModel? BindBody(CoreV3.SubstitutionFormatString? message, string path, BindErrors errors)
    {
        if (ValueBinder.Format(message, path, errors) is not { } format)
        {
            return null;
        }

        var type = message!.ContentType.Length > 0 ? message.ContentType : format is JsonFormat ? "application/json" : "text/plain";
        return new LocalReplyBodyModel(format, Encoding.ASCII.GetBytes(type));
    }
}

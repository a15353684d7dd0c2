using Nuncio.Xds;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binding errors in the form that goes back to whoever made the configuration.</summary>
internal static class Rejections
{
    /// <summary>Adds all errors of a resource.</summary>
    public static void Add(List<XdsRejection> rejections, string typeUrl, string name, BindErrors errors)
    {
        foreach (var error in errors.All)
        {
            rejections.Add(new XdsRejection(typeUrl, name, error.FieldPath, error.Message, error.IsPartial));
        }

        foreach (var error in errors.Isolated)
        {
            rejections.Add(new XdsRejection(typeUrl, name, error.FieldPath, error.Message));
        }

        foreach (var error in errors.FailClosed)
        {
            rejections.Add(new XdsRejection(typeUrl, name, error.FieldPath, error.Message, IsPartial: true));
        }
    }
}

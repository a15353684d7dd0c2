namespace Nuncio.DataPlane.Binding;

/// <summary>Why a message cannot be bound.</summary>
/// <param name="FieldPath">Where in the resource, in proto names: <c>filter_chains[0].filters[1].typed_config</c>.</param>
/// <param name="Message">Why, for a person.</param>
public sealed record BindError(string FieldPath, string Message);

/// <summary>
/// What binding one resource has found wrong. A binder goes on after an error where it can, so that a person sees all of them at once;
/// a resource with any error is refused as a whole.
/// </summary>
public sealed class BindErrors
{
    private readonly List<BindError> _errors = [];

    /// <summary>There is at least one.</summary>
    public bool Any => _errors.Count > 0;

    /// <summary>All so far.</summary>
    public IReadOnlyList<BindError> All => _errors;

    /// <summary>Adds one.</summary>
    public void Add(string fieldPath, string message) => _errors.Add(new BindError(fieldPath, message));

    /// <summary>The path of a field below another one; the parent may be empty.</summary>
    public static string Path(string parent, string field) => parent.Length == 0 ? field : parent + "." + field;

    /// <summary>The path of an element of a repeated field.</summary>
    public static string Path(string parent, string field, int index) => $"{Path(parent, field)}[{index}]";
}

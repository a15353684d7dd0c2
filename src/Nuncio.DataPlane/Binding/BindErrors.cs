namespace Nuncio.DataPlane.Binding;

/// <summary>Why a message cannot be bound.</summary>
/// <param name="FieldPath">Where in the resource, in proto names: <c>filter_chains[0].filters[1].typed_config</c>.</param>
/// <param name="Message">Why, for a person.</param>
/// <param name="IsPartial">The message can be bound all the same; only this field has no effect here, which endangers nothing.</param>
public sealed record BindError(string FieldPath, string Message, bool IsPartial = false);

/// <summary>
/// What binding one resource has found wrong. A binder goes on after an error where it can, so that a person sees all of them at once;
/// a resource with any error is refused as a whole.
/// </summary>
public sealed class BindErrors
{
    private readonly List<BindError> _errors = [];
    private readonly List<BindError> _failClosed = [];
    private readonly List<BindError> _isolated = [];

    /// <summary>There is at least one for which the resource is refused.</summary>
    public bool Any => Count > 0;

    /// <summary>How many there are for which the resource is refused.</summary>
    public int Count { get; private set; }

    /// <summary>All so far, partial ones included.</summary>
    public IReadOnlyList<BindError> All => _errors;

    /// <summary>
    /// What cannot be done as asked, but is bound to something that fails closed (a filter that answers 500): to be reported as a rejection,
    /// while the resource serves what does not depend on it.
    /// </summary>
    public IReadOnlyList<BindError> FailClosed => _failClosed;

    /// <summary>For what a part of the resource is refused, while the rest is bound: to be reported as a refusal of that part.</summary>
    public IReadOnlyList<BindError> Isolated => _isolated;

    /// <summary>Adds all errors of a part that alone is refused as <see cref="Isolated"/>, with what else was found there.</summary>
    /// <param name="part">Of the part.</param>
    /// <param name="consequence">What that means for who needs the part.</param>
    public void Isolate(BindErrors part, string consequence)
    {
        foreach (var error in part._errors)
        {
            if (error.IsPartial)
            {
                AddPartial(error.FieldPath, error.Message);
            }
            else
            {
                _isolated.Add(error with { Message = $"{error.Message} {consequence}" });
            }
        }

        _failClosed.AddRange(part._failClosed);
    }

    /// <summary>Adds one of <see cref="FailClosed"/>.</summary>
    public void AddFailClosed(string fieldPath, string message) => _failClosed.Add(new BindError(fieldPath, message));

    /// <summary>Adds all of another set, found below <paramref name="parent"/>.</summary>
    public void AddAll(string parent, BindErrors other)
    {
        foreach (var error in other._errors)
        {
            if (error.IsPartial)
            {
                AddPartial(Path(parent, error.FieldPath), error.Message);
            }
            else
            {
                Add(Path(parent, error.FieldPath), error.Message);
            }
        }

        foreach (var error in other._failClosed)
        {
            AddFailClosed(Path(parent, error.FieldPath), error.Message);
        }

        foreach (var error in other._isolated)
        {
            _isolated.Add(error with { FieldPath = Path(parent, error.FieldPath) });
        }
    }

    /// <summary>Adds one.</summary>
    public void Add(string fieldPath, string message)
    {
        _errors.Add(new BindError(fieldPath, message));
        Count++;
    }

    /// <summary>Says that a field has no effect here, although the rest is bound: only for what endangers nothing.</summary>
    public void AddPartial(string fieldPath, string message) => _errors.Add(new BindError(fieldPath, message, IsPartial: true));

    /// <summary>The path of a field below another one; the parent may be empty.</summary>
    public static string Path(string parent, string field) => parent.Length == 0 ? field : field.Length == 0 ? parent : parent + "." + field;

    /// <summary>The path of an element of a repeated field.</summary>
    public static string Path(string parent, string field, int index) => $"{Path(parent, field)}[{index}]";
}

namespace Nuncio.Resources.Findings;

/// <summary>The stable codes of findings, one constant each, in alphabetical order. Each has a row in docs/findings.md.</summary>
public static partial class FindingCodes
{
    /// <summary>The text of an annotation <c>getambassador.io/config</c> cannot be read.</summary>
    public const string AnnotationUnreadable = "annotation-unreadable";

    /// <summary>A data plane that gets its configuration over ADS is older than what is supported, or of another make.</summary>
    public const string DataPlaneUnsupported = "data-plane-unsupported";

    /// <summary>A version of the API that is converted but should be replaced.</summary>
    public const string DeprecatedApiVersion = "deprecated-api-version";

    /// <summary>A document exceeds a limit (size, depth, aliases).</summary>
    public const string DocumentTooLarge = "document-too-large";

    /// <summary>A document is neither YAML nor JSON.</summary>
    public const string DocumentUnreadable = "document-unreadable";

    /// <summary>A name stands twice in one object; the last value counts.</summary>
    public const string DuplicateField = "duplicate-field";

    /// <summary>Two objects of one kind, namespace and name; the first one counts.</summary>
    public const string DuplicateResource = "duplicate-resource";

    /// <summary>A required field is absent.</summary>
    public const string FieldMissing = "field-missing";

    /// <summary>A field that is known but does nothing.</summary>
    public const string FieldWithoutEffect = "field-without-effect";

    /// <summary>A file or folder cannot be read.</summary>
    public const string FileUnreadable = "file-unreadable";

    /// <summary>A file is broken for the moment; what it last held is still in use.</summary>
    public const string LastGoodContentKept = "last-good-content-kept";

    /// <summary>A document is not a Kubernetes object: no apiVersion, kind or name.</summary>
    public const string NotAResource = "not-a-resource";

    /// <summary>A file or folder that was named does not exist.</summary>
    public const string PathNotFound = "path-not-found";

    /// <summary>The data plane refused what was compiled; its last good content stays.</summary>
    public const string RefusedByDataPlane = "refused-by-data-plane";

    /// <summary>A field that the schema of its kind does not have.</summary>
    public const string UnknownField = "unknown-field";

    /// <summary>A kind that is not read; reported once.</summary>
    public const string UnknownKind = "unknown-kind";

    /// <summary>A version of a known group that does not exist.</summary>
    public const string UnsupportedApiVersion = "unsupported-api-version";

    /// <summary>A value that is not one of those a field may have.</summary>
    public const string ValueNotAllowed = "value-not-allowed";

    /// <summary>A number or length outside its range.</summary>
    public const string ValueOutOfRange = "value-out-of-range";

    /// <summary>A value of another type than the field's.</summary>
    public const string WrongType = "wrong-type";
}

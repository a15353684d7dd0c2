namespace Nuncio.Compiler.Emitting;

/// <summary>Headers that are added.</summary>
internal static class HeaderMessages
{
    /// <summary>Appended beside one that is there, unless the user says otherwise.</summary>
    public static CoreV3.HeaderValueOption Option(string name, AddedHeader header) => new()
    {
        Header = new CoreV3.HeaderValue { Key = name, Value = header.Value ?? "" },
        AppendAction = header.Append == false
            ? CoreV3.HeaderValueOption.Types.HeaderAppendAction.OverwriteIfExistsOrAdd
            : CoreV3.HeaderValueOption.Types.HeaderAppendAction.AppendIfExistsOrAdd,
    };
}

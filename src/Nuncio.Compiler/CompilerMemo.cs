namespace Nuncio.Compiler;

/// <summary>What the passes of one compiler remember. One object of each type; each pass knows when its own is stale.</summary>
internal sealed class CompilerMemo
{
    private readonly Dictionary<Type, object> _states = [];

    public T Get<T>()
        where T : class, new()
    {
        if (_states.TryGetValue(typeof(T), out var found))
            return (T)found;
        var made = new T();
        _states.Add(typeof(T), made);
        return made;
    }
}

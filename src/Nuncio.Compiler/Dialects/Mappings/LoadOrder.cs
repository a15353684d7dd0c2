using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>Emissary reads Mappings in the order of <c>name.namespace</c>; the internal ones come first.</summary>
internal static class LoadOrder
{
    public static int Compare(MappingPlan one, MappingPlan other)
    {
        if (one.Internal != other.Internal)
            return one.Internal ? -1 : 1;
        var difference = string.CompareOrdinal(one.Key.Name, other.Key.Name);
        return difference != 0 ? difference : string.CompareOrdinal(one.Key.Namespace, other.Key.Namespace);
    }
}

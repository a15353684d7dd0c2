using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>Emissary reads Mappings in the order of <c>name.namespace</c>; the internal ones come first.</summary>
internal static class LoadOrder
{
    public static int Compare(MappingPlan one, MappingPlan other) =>
        one.Internal != other.Internal ? (one.Internal ? -1 : 1) : StoredNames.Compare(one.Key, other.Key);
}

using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>Emissary reads Mappings in the order of their places; the internal ones come first.</summary>
internal static class LoadOrder
{
    public static int Compare(MappingPlan one, MappingPlan other) =>
        one.Internal != other.Internal ? (one.Internal ? -1 : 1)
        : LoadPlace.Compare(one.Place, other.Place) is var difference && difference != 0 ? difference : string.CompareOrdinal(one.Key.Name, other.Key.Name);
}

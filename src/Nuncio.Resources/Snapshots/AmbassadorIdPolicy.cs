using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Snapshots;

/// <summary>Which getambassador.io resources belong to this process (<c>spec.ambassador_id</c> against <c>AMBASSADOR_ID</c>).</summary>
public static class AmbassadorIdPolicy
{
    /// <summary>The id of a process and of a resource that name none.</summary>
    public const string DefaultId = "default";

    /// <summary>The element that every process matches; synthetic resources carry it.</summary>
    public const string AutomaticId = "_automatic_";

    /// <summary>Absent means <c>["default"]</c>; a written but empty list belongs to nobody.</summary>
    public static bool Matches(ValueList<string>? ids, string ambassadorId)
    {
        if (ids is null)
            return string.Equals(ambassadorId, DefaultId, StringComparison.Ordinal);
        foreach (var id in ids)
        {
            if (string.Equals(id, ambassadorId, StringComparison.Ordinal) || string.Equals(id, AutomaticId, StringComparison.Ordinal))
                return true;
        }

        return false;
    }
}

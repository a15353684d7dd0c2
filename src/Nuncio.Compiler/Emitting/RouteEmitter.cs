using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Emitting;

/// <summary>Turns a group into routes. Which virtual hosts hold them is for the caller to say.</summary>
public static class RouteEmitter
{
    /// <summary>
    /// The routes of a group on a listener with a security model and for Hosts with an insecure action, in order; the same objects for the same group.
    /// </summary>
    public static ImmutableArray<EmittedRoute> Emit(RouteGroupPlan group, SecurityModel model, InsecureAction action)
    {
        ref var slot = ref group.Emitted[((int)model * 3) + (int)action];
        if (slot.IsDefault)
            slot = GroupRoutes.Emit(group, model, action);
        return slot;
    }
}

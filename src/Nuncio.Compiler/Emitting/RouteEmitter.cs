using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Emitting;

/// <summary>Turns a group into routes. Which virtual hosts hold them is for the caller to say.</summary>
public static class RouteEmitter
{
    /// <summary>
    /// The routes of a group on a listener with a security model and for Hosts with an insecure action, in order; the same objects for the same group.
    /// With <see cref="InsecureAction.Reject"/> the insecure half has none: see <see cref="RejectInsecure"/>.
    /// </summary>
    public static ImmutableArray<EmittedRoute> Emit(RouteGroupPlan group, SecurityModel model, InsecureAction action)
    {
        ref var slot = ref group.Emitted[((int)model * 3) + (int)action];
        if (slot.IsDefault)
            slot = GroupRoutes.Emit(group, model, action);
        return slot;
    }

    /// <summary>
    /// The last route of a virtual host whose Host rejects insecure requests: answers them with the given status. Null where no request can be insecure, or
    /// where 404 is wanted, which no route at all gives.
    /// </summary>
    public static EmittedRoute? RejectInsecure(SecurityModel model, int status) => RejectRoutes.Of(model, status);
}

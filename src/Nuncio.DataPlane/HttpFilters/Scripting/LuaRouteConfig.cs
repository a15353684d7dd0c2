using Google.Protobuf.WellKnownTypes;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>The Lua filter's settings of a route (lua.v3.LuaPerRoute).</summary>
/// <param name="Name">The script of the filter's <c>source_codes</c> that runs; empty for none of these.</param>
/// <param name="Machines">The route's own script; null for none.</param>
/// <param name="Context">What scripts see as <c>filterContext()</c>; null for nothing.</param>
internal sealed record LuaRouteConfig(string Name, LuaMachine[]? Machines, Struct? Context);

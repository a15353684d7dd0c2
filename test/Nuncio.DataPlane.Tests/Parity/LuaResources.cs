using System.Text.Json;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>A listener with one script before one cluster.</summary>
internal static class LuaResources
{
    /// <summary>A function <c>show(...)</c> for scripts: all its arguments as one text, nil included.</summary>
    public const string Show = """
        local function show(...)
          local shown = {}
          for i = 1, select('#', ...) do shown[i] = tostring((select(i, ...))) end
          return table.concat(shown, ' ; ')
        end

        """;

    /// <summary>The resources for <see cref="ProxyPair.StartAsync"/>.</summary>
    /// <param name="script">The script of every request.</param>
    /// <param name="ports">Of the endpoints of the cluster <c>c</c>.</param>
    public static string With(string script, params IEnumerable<int> ports) => ProxyPair.Resources(
        """
        {"name":"h","domains":["*"],"metadata":{"filter_metadata":{"lua":{"where":"host"} } },"routes":[
          {"match":{"prefix":"/"},"route":{"cluster":"c"},"name":"only","metadata":{"filter_metadata":{"lua":{"where":"route"} } } }]}
        """,
        ProxyPair.Cluster("c", "", ports.Select(static port => (port, 1))),
        "",
        $$$"""
        {"name":"lua","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
          "default_source_code":{"inline_string":{{{JsonSerializer.Serialize(script)}}} } } },
        """);
}

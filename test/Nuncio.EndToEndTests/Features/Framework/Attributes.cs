using System.Reflection;
using Xunit.Sdk;

namespace Nuncio.EndToEndTests.Features;

/// <summary>The rows of docs/features.md that a test shows.</summary>
/// <param name="rows">Their ids, for instance <c>MAP-01</c>.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FeatureAttribute(params string[] rows) : Attribute
{
    /// <summary>The ids.</summary>
    public IReadOnlyList<string> Rows => rows;
}

/// <summary>
/// What a test wants served; all of a group are served together by one <see cref="GatewayOf{TGroup}"/>, so each has prefixes or hosts of its own. The text is
/// YAML, with the short forms of <see cref="ManifestText"/>.
/// </summary>
/// <param name="text">The documents.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class ManifestAttribute(string text) : Attribute
{
    /// <summary>The documents.</summary>
    public string Text => text;
}

/// <summary>An environment variable of the nuncio that serves a group.</summary>
/// <param name="name">Its name.</param>
/// <param name="value">Its value.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class VariableAttribute(string name, string value) : Attribute
{
    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>Its value.</summary>
    public string Value => value;
}

/// <summary>Options of the nuncio that serves a group.</summary>
/// <param name="words">Options of both <c>run</c> and <c>compile</c>, with the placeholders of <see cref="ManifestText"/>.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class CommandLineAttribute(params string[] words) : Attribute
{
    /// <summary>The options.</summary>
    public IReadOnlyList<string> Words => words;
}

/// <summary>Runs a test once on each data plane.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DataPlanesAttribute : DataAttribute
{
    /// <inheritdoc/>
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => Enum.GetValues<DataPlane>().Select(plane => new object[] { plane });
}

/// <summary>Runs a test once on each data plane with further arguments.</summary>
/// <param name="arguments">After the data plane.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class InlineDataForPlanesAttribute(params object[] arguments) : DataAttribute
{
    /// <inheritdoc/>
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => Enum.GetValues<DataPlane>().Select(plane => (object[])[plane, .. arguments]);
}

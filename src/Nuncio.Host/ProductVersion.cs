using System.Reflection;

namespace Nuncio.Host;

/// <summary>Which nuncio this is.</summary>
public static class ProductVersion
{
    /// <summary>Without the commit that it was built from; <c>unknown</c> where the build did not say.</summary>
    public static string Text { get; } =
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}

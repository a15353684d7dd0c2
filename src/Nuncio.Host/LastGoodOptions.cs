namespace Nuncio.Host;

/// <summary>Where the last good configuration is kept.</summary>
/// <param name="Folder">The folder; files in it are readable by their owner only.</param>
/// <param name="WithSecrets">Private keys are kept too. Otherwise what needs them comes back with the sources.</param>
public sealed record LastGoodOptions(string Folder, bool WithSecrets);

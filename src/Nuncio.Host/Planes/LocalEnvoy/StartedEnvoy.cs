namespace Nuncio.Host.Planes.LocalEnvoy;

/// <summary>An Envoy that runs.</summary>
/// <param name="Id">Its process id.</param>
/// <param name="Digest">The digest of the bootstrap that it was started with; empty where that is not known.</param>
internal readonly record struct StartedEnvoy(int Id, string Digest);

namespace Nuncio.Compiler.Planning;

/// <summary>
/// How TLS is originated with a TLSContext. The pass that reads TLSContexts makes one for each that can be used, and keeps the object while nothing changes:
/// clusters are memoised by it.
/// </summary>
/// <param name="Name">The TLSContext's name as Mappings refer to it.</param>
/// <param name="TransportSocket">The finished <c>envoy.transport_sockets.tls</c>, keys by SDS.</param>
/// <param name="Secrets">The SDS resources that it refers to; put into the snapshot when a cluster uses it.</param>
public sealed record UpstreamTlsPlan(string Name, CoreV3.TransportSocket TransportSocket, ImmutableArray<XdsResource<TlsV3.Secret>> Secrets);

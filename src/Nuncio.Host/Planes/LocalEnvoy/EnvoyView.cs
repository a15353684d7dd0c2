using System.Collections.Immutable;
using Nuncio.Xds;

namespace Nuncio.Host.Planes.LocalEnvoy;

/// <summary>How an Envoy is at one moment.</summary>
/// <param name="Offered">The snapshot that it should have; null before the first.</param>
/// <param name="IsServing">It is live and has accepted that, as far as it did not refuse.</param>
/// <param name="Rejections">What it refuses of it.</param>
internal readonly record struct EnvoyView(XdsSnapshot? Offered, bool IsServing, ImmutableArray<XdsRejection> Rejections);

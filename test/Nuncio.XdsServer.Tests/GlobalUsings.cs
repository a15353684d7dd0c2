global using Nuncio.Testing;
global using Nuncio.Xds;
global using DiscoveryV3 = Envoy.Service.Discovery.V3;

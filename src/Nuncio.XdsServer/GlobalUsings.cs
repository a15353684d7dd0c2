global using System.Collections.Immutable;
global using Nuncio.Xds;
global using Nuncio.XdsServer.Clients;
global using Nuncio.XdsServer.Resources;
global using Nuncio.XdsServer.Streams;
global using Nuncio.XdsServer.Subscriptions;
global using DiscoveryV3 = Envoy.Service.Discovery.V3;

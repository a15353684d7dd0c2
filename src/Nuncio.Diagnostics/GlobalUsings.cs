// Simple names such as Filter and RetryPolicy exist twice in the API: the namespaces go by these short names instead.
global using System.Collections.Immutable;
global using ClusterV3 = Envoy.Config.Cluster.V3;
global using CoreV3 = Envoy.Config.Core.V3;
global using EndpointV3 = Envoy.Config.Endpoint.V3;
global using HcmV3 = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
global using ListenerV3 = Envoy.Config.Listener.V3;
global using RouteV3 = Envoy.Config.Route.V3;

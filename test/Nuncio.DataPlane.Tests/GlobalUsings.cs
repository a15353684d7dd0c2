global using AccessLogV3 = Envoy.Config.Accesslog.V3;
global using CoreV3 = Envoy.Config.Core.V3;
global using HcmV3 = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
global using MatcherV3 = Envoy.Type.Matcher.V3;
global using RouteV3 = Envoy.Config.Route.V3;

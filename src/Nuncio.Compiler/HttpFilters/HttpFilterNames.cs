namespace Nuncio.Compiler.HttpFilters;

/// <summary>Envoy's names of the HTTP filters that are emitted.</summary>
internal static class HttpFilterNames
{
    public const string GrpcHttp1Bridge = "envoy.filters.http.grpc_http1_bridge";
    public const string GrpcWeb = "envoy.filters.http.grpc_web";
    public const string GrpcStats = "envoy.filters.http.grpc_stats";
    public const string Lua = "envoy.filters.http.lua";
    public const string Compressor = "envoy.filters.http.compressor";
    public const string Buffer = "envoy.filters.http.buffer";
    public const string Rbac = "envoy.filters.http.rbac";
    public const string Cors = "envoy.filters.http.cors";
    public const string ExtAuthz = "envoy.filters.http.ext_authz";
    public const string RateLimit = "envoy.filters.http.ratelimit";
    public const string Router = "envoy.filters.http.router";
}

namespace Nuncio.Compiler.Validation;

/// <summary>Which load balancer settings can be used (SPEC 8.4).</summary>
internal static class LoadBalancerRules
{
    /// <summary>Why the settings are invalid; null when they are not.</summary>
    public static string? Problem(LoadBalancerConfig config)
    {
        var keys = (config.Cookie is null ? 0 : 1) + (config.Header is null ? 0 : 1) + (config.SourceIp is null ? 0 : 1);
        if (config.Policy is LoadBalancerPolicy.RoundRobin or LoadBalancerPolicy.LeastRequest)
            return keys == 0 ? null : "round_robin and least_request take no hash key";
        if (keys != 1)
            return "ring_hash and maglev take exactly one of cookie, header and source_ip";
        if (config.Cookie is { } cookie)
        {
            if (cookie.Name.Length == 0)
                return "the cookie has no name";
            if (cookie.Ttl is { } ttl && (!GoDuration.TryParse(ttl, out var duration) || duration < TimeSpan.Zero))
                return "the cookie's ttl is not a duration";
        }

        return config.Header is { } header && !HeaderRules.IsToken(header) ? "the header's name is not one" : null;
    }

    /// <summary>The policy's name in manifests.</summary>
    public static string Name(LoadBalancerPolicy policy) => policy switch
    {
        LoadBalancerPolicy.LeastRequest => "least_request",
        LoadBalancerPolicy.RingHash => "ring_hash",
        LoadBalancerPolicy.Maglev => "maglev",
        _ => "round_robin",
    };
}

using System.Globalization;

namespace Nuncio.Compiler.Validation;

/// <summary>Which circuit breakers can be used, and how they show in a cluster's name (SPEC 8.5).</summary>
internal static class CircuitBreakerRules
{
    /// <summary>Why the settings are invalid; null when they are not.</summary>
    public static string? Problem(ValueList<CircuitBreakerConfig> breakers)
    {
        foreach (var breaker in breakers)
        {
            if (breaker.Priority is { } priority && !IsPriority(priority))
                return $"'{priority}' is not a priority: default or high";
            foreach (var number in Numbers(breaker))
                if (number.Value is < 0 or > uint.MaxValue)
                    return $"{number.Name} must be between 0 and {uint.MaxValue}";
        }

        return null;
    }

    /// <summary>The part of the cluster's name.</summary>
    public static string Signature(CircuitBreakerConfig breaker)
    {
        var name = breaker.Priority is { Length: > 0 } priority ? "cb" + char.ToLowerInvariant(priority[0]) : "cbn";
        foreach (var (_, letter, value) in Numbers(breaker))
            if (value is { } number)
                name += letter + number.ToString(CultureInfo.InvariantCulture);
        return name;
    }

    /// <summary>Whether it counts requests of high priority.</summary>
    public static bool IsHigh(CircuitBreakerConfig breaker) => string.Equals(breaker.Priority, "high", StringComparison.OrdinalIgnoreCase);

    private static bool IsPriority(string text) =>
        text.Equals("default", StringComparison.OrdinalIgnoreCase) || text.Equals("high", StringComparison.OrdinalIgnoreCase);

    private static (string Name, string Letter, long? Value)[] Numbers(CircuitBreakerConfig breaker) =>
    [
        ("max_connections", "c", breaker.MaxConnections),
        ("max_pending_requests", "p", breaker.MaxPendingRequests),
        ("max_requests", "r", breaker.MaxRequests),
        ("max_retries", "t", breaker.MaxRetries),
    ];
}

using System.Collections.Frozen;
using Nuncio.Compiler.Emitting;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>Reads a retry policy (SPEC 4.1).</summary>
internal static class RetryPolicyReader
{
    private static readonly FrozenSet<string> Conditions = new[]
    {
        "5xx", "gateway-error", "connect-failure", "retriable-4xx", "refused-stream", "retriable-status-codes",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Null when the condition is none, which makes a Mapping invalid.</summary>
    public static RouteV3.RetryPolicy? Read(Resource? owner, string field, RetryPolicyConfig config, FindingSink findings)
    {
        if (config.RetryOn is not { } condition || !Conditions.Contains(condition))
        {
            findings.Error(
                owner, FindingCodes.InvalidFieldValue, field + ".retry_on", $"must be one of {string.Join(", ", Conditions.Order(StringComparer.Ordinal))}");
            return null;
        }

        var policy = new RouteV3.RetryPolicy { RetryOn = condition };
        if (config.NumRetries is { } retries)
        {
            if (retries is >= 0 and <= uint.MaxValue)
                policy.NumRetries = (uint)retries;
            else
                findings.Error(owner, FindingCodes.InvalidFieldValue, field + ".num_retries", $"{retries} is negative or too large; it is ignored");
        }

        if (config.PerTryTimeout is { Length: > 0 } text)
        {
            if (GoDuration.TryParse(text, out var timeout) && timeout >= TimeSpan.Zero)
                policy.PerTryTimeout = RouteMessages.Of(timeout);
            else
                findings.Error(owner, FindingCodes.InvalidFieldValue, field + ".per_try_timeout", $"'{text}' is not a duration; it is ignored");
        }

        return policy;
    }
}

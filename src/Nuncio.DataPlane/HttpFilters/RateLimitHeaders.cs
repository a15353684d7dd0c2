using System.Globalization;
using System.Text;
using Envoy.Service.Ratelimit.V3;
using Nuncio.DataPlane.Http;
using Limit = Envoy.Service.Ratelimit.V3.RateLimitResponse.Types.RateLimit;
using Status = Envoy.Service.Ratelimit.V3.RateLimitResponse.Types.DescriptorStatus;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>x-ratelimit-limit, -remaining and -reset (draft-polli-ratelimit-headers-03) of the descriptor that is nearest to its limit.</summary>
internal static class RateLimitHeaders
{
    private const int MaxStatuses = 64;

    /// <summary>Adds them where the service said anything about limits.</summary>
    public static void Add(HeaderMap headers, RateLimitResponse response)
    {
        Status? nearest = null;
        var policies = new StringBuilder();
        for (var i = 0; i < response.Statuses.Count && i < MaxStatuses; i++)
        {
            var status = response.Statuses[i];
            if (status.CurrentLimit is not { } limit)
            {
                continue;
            }

            if (nearest is null || status.LimitRemaining < nearest.LimitRemaining)
            {
                nearest = status;
            }

            var window = Seconds(limit.Unit);
            if (window > 0)
            {
                policies.Append(CultureInfo.InvariantCulture, $", {limit.RequestsPerUnit};w={window}");
                if (limit.Name.Length > 0)
                {
                    policies.Append(";name=\"").Append(Plain(limit.Name)).Append('"');
                }
            }
        }

        if (nearest is null)
        {
            return;
        }

        Set(headers, "x-ratelimit-limit"u8, nearest.CurrentLimit.RequestsPerUnit.ToString(CultureInfo.InvariantCulture) + policies);
        Set(headers, "x-ratelimit-remaining"u8, nearest.LimitRemaining.ToString(CultureInfo.InvariantCulture));
        Set(headers, "x-ratelimit-reset"u8, (nearest.DurationUntilReset?.Seconds ?? 0).ToString(CultureInfo.InvariantCulture));
    }

    private static void Set(HeaderMap headers, ReadOnlySpan<byte> name, string value) => headers.Add(name, Encoding.Latin1.GetBytes(value));

    // A name from outside must not end the header or its quotes.
    private static string Plain(string name)
    {
        var text = new StringBuilder();
        foreach (var c in name.AsSpan(0, Math.Min(name.Length, 256)))
        {
            if (c is >= ' ' and <= '~' and not '"' and not '\\')
            {
                text.Append(c);
            }
        }

        return text.ToString();
    }

    private static long Seconds(Limit.Types.Unit unit) => unit switch
    {
        Limit.Types.Unit.Second => 1,
        Limit.Types.Unit.Minute => 60,
        Limit.Types.Unit.Hour => 3600,
        Limit.Types.Unit.Day => 86_400,
        Limit.Types.Unit.Week => 604_800,
        Limit.Types.Unit.Month => 2_592_000,
        Limit.Types.Unit.Year => 31_536_000,
        _ => 0,
    };
}

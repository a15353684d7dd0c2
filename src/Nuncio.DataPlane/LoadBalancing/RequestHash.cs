using System.Globalization;
using System.Net;
using System.Numerics;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.LoadBalancing;

/// <summary>A request's hash by its route's policies, as Envoy computes it.</summary>
internal static class RequestHash
{
    /// <summary>The hash; false where no policy gives one.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="policies">In order.</param>
    /// <param name="hash">The result.</param>
    /// <param name="cookie">A cookie to set, whose value was just made; else null.</param>
    public static bool TryCompute(HttpExchange exchange, IReadOnlyList<HashPolicyModel> policies, out ulong hash, out string? cookie)
    {
        hash = 0;
        cookie = null;
        var any = false;
        for (var i = 0; i < policies.Count; i++)
        {
            var policy = policies[i];
            if (TryOne(exchange, policy, out var one, ref cookie))
            {
                // Rotated, so that two equal values do not cancel each other out.
                hash = any ? BitOperations.RotateLeft(hash, 1) ^ one : one;
                any = true;
            }

            if (policy.Terminal && any)
            {
                break;
            }
        }

        return any;
    }

    private static bool TryOne(HttpExchange exchange, HashPolicyModel policy, out ulong hash, ref string? cookie)
    {
        switch (policy.Source)
        {
            case HashSource.Header:
                return TryHeader(exchange.RequestHeaders, policy, out hash);
            case HashSource.Cookie:
                return TryCookie(exchange, policy, out hash, ref cookie);
            case HashSource.QueryParameter:
                return TryQuery(exchange.RequestHeaders.Get(KnownHeader.Path), policy.Name, out hash);
            default:
                Span<byte> text = stackalloc byte[64];
                var length = WriteAddress(exchange.RemoteAddress.Address, text);
                hash = XxHash64.Hash(text[..length]);
                return true;
        }
    }

    private static int WriteAddress(IPAddress address, Span<byte> text) => address.TryFormat(text, out var written) ? written : 0;

    private static bool TryHeader(HeaderMap headers, HashPolicyModel policy, out ulong hash)
    {
        hash = 0;
        if (!headers.TryGet(policy.Name, out var value))
        {
            return false;
        }

        if (policy.Rewrite == null && headers.CountOf(policy.Name) == 1)
        {
            hash = XxHash64.Hash(value);
            return true;
        }

        // Several values are hashed one after the other in their sorted order, so that their order on the wire does not matter.
        var values = new List<byte[]>();
        foreach (var header in headers)
        {
            if (header.Name.SequenceEqual(policy.Name))
            {
                values.Add(policy.Rewrite == null ? header.Value.ToArray() : policy.Rewrite.Replace(header.Value));
            }
        }

        values.Sort(static (x, y) => x.AsSpan().SequenceCompareTo(y));
        foreach (var one in values)
        {
            hash = XxHash64.Hash(one, hash);
        }

        return true;
    }

    private static bool TryCookie(HttpExchange exchange, HashPolicyModel policy, out ulong hash, ref string? cookie)
    {
        hash = 0;
        foreach (var header in exchange.RequestHeaders)
        {
            if (header.Known == KnownHeader.Cookie && TryFindCookie(header.Value, policy.Name, out var value) && !value.IsEmpty)
            {
                hash = XxHash64.Hash(value);
                return true;
            }
        }

        if (policy.CookieTtl is not { } ttl)
        {
            return false;
        }

        // The same for all requests of one connection, so that requests that race get the same cookie.
        var connection = exchange.Downstream.Connection;
        var seed = Encoding.ASCII.GetBytes(connection.RemoteAddress.ToString() + connection.LocalAddress);
        var made = XxHash64.Hash(seed).ToString("x16", CultureInfo.InvariantCulture);
        hash = XxHash64.Hash(Encoding.ASCII.GetBytes(made));
        var text = new StringBuilder(Encoding.ASCII.GetString(policy.Name)).Append("=\"").Append(made).Append('"');
        if (ttl > TimeSpan.Zero)
        {
            text.Append("; Max-Age=").Append((long)ttl.TotalSeconds);
        }

        if (policy.CookiePath.Length > 0)
        {
            text.Append("; Path=").Append(policy.CookiePath);
        }

        foreach (var (name, value) in policy.CookieAttributes)
        {
            text.Append("; ").Append(name);
            if (value.Length > 0)
            {
                text.Append('=').Append(value);
            }
        }

        cookie = text.Append("; HttpOnly").ToString();
        return true;
    }

    private static bool TryFindCookie(ReadOnlySpan<byte> header, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        while (!header.IsEmpty)
        {
            var end = header.IndexOf((byte)';');
            var pair = (end < 0 ? header : header[..end]).Trim((byte)' ');
            header = end < 0 ? default : header[(end + 1)..];
            var equals = pair.IndexOf((byte)'=');
            if (equals >= 0 && pair[..equals].SequenceEqual(name))
            {
                value = pair[(equals + 1)..];
                if (value.Length >= 2 && value[0] == '"' && value[^1] == '"')
                {
                    value = value[1..^1];
                }

                return true;
            }
        }

        value = default;
        return false;
    }

    private static bool TryQuery(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, out ulong hash)
    {
        hash = 0;
        var start = path.IndexOf((byte)'?');
        if (start < 0)
        {
            return false;
        }

        var query = path[(start + 1)..];
        var fragment = query.IndexOf((byte)'#');
        query = fragment < 0 ? query : query[..fragment];
        while (!query.IsEmpty)
        {
            var end = query.IndexOf((byte)'&');
            var pair = end < 0 ? query : query[..end];
            query = end < 0 ? default : query[(end + 1)..];
            var equals = pair.IndexOf((byte)'=');
            if ((equals < 0 ? pair : pair[..equals]).SequenceEqual(name))
            {
                hash = XxHash64.Hash(equals < 0 ? default : pair[(equals + 1)..]);
                return true;
            }
        }

        return false;
    }
}

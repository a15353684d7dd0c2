using System.Net;
using System.Net.Sockets;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.Routing;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>What an action gave.</summary>
public enum RateLimitActionResult : byte
{
    /// <summary>An entry.</summary>
    Entry,

    /// <summary>No entry, and the descriptor does without.</summary>
    Skip,

    /// <summary>There is no descriptor.</summary>
    NoDescriptor,
}

/// <summary>Makes one entry of a descriptor (route.v3.RateLimit.Action).</summary>
public abstract class RateLimitAction
{
    /// <summary>The entry for a request.</summary>
    public abstract RateLimitActionResult TryMake(HttpExchange exchange, out string key, out string value);

    /// <summary>Bytes of a request as protobuf text.</summary>
    private protected static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    /// <summary>The same for all requests, or nothing.</summary>
    internal sealed class Constant(string key, string value) : RateLimitAction
    {
        public override RateLimitActionResult TryMake(HttpExchange exchange, out string entryKey, out string entryValue)
        {
            (entryKey, entryValue) = (key, value);
            return value.Length > 0 ? RateLimitActionResult.Entry : RateLimitActionResult.NoDescriptor;
        }
    }

    /// <summary>The cluster that the request goes to.</summary>
    internal sealed class DestinationCluster : RateLimitAction
    {
        public override RateLimitActionResult TryMake(HttpExchange exchange, out string key, out string value)
        {
            (key, value) = ("destination_cluster", exchange.ClusterName);
            return RateLimitActionResult.Entry;
        }
    }

    /// <summary>A header's value.</summary>
    internal sealed class RequestHeader(byte[] header, string entryKey, bool skipIfAbsent) : RateLimitAction
    {
        public override RateLimitActionResult TryMake(HttpExchange exchange, out string key, out string value)
        {
            key = entryKey;
            if (exchange.RequestHeaders.TryGet(header, out var found))
            {
                value = Text(found);
                return RateLimitActionResult.Entry;
            }

            value = "";
            return skipIfAbsent ? RateLimitActionResult.Skip : RateLimitActionResult.NoDescriptor;
        }
    }

    /// <summary>A query parameter's value.</summary>
    internal sealed class QueryParameter(byte[] parameter, string entryKey, bool skipIfAbsent) : RateLimitAction
    {
        public override RateLimitActionResult TryMake(HttpExchange exchange, out string key, out string value)
        {
            key = entryKey;
            var path = exchange.RequestHeaders.Get(KnownHeader.Path);
            var mark = path.IndexOf((byte)'?');
            if (QueryParameterMatcher.TryFind(mark < 0 ? default : path[(mark + 1)..], parameter, out var found))
            {
                value = Text(found);
                return RateLimitActionResult.Entry;
            }

            value = "";
            return skipIfAbsent ? RateLimitActionResult.Skip : RateLimitActionResult.NoDescriptor;
        }
    }

    /// <summary>The client's address.</summary>
    internal sealed class RemoteAddress : RateLimitAction
    {
        public override RateLimitActionResult TryMake(HttpExchange exchange, out string key, out string value)
        {
            (key, value) = ("remote_address", Plain(exchange.RemoteAddress.Address).ToString());
            return RateLimitActionResult.Entry;
        }
    }

    /// <summary>The network that the client's address is in.</summary>
    internal sealed class MaskedRemoteAddress(int v4Length, int v6Length) : RateLimitAction
    {
        public override RateLimitActionResult TryMake(HttpExchange exchange, out string key, out string value)
        {
            var address = Plain(exchange.RemoteAddress.Address);
            var length = address.AddressFamily == AddressFamily.InterNetwork ? v4Length : v6Length;
            Span<byte> bytes = stackalloc byte[16];
            _ = address.TryWriteBytes(bytes, out var count);
            for (var bit = length; bit < count * 8; bit++)
            {
                bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
            }

            (key, value) = ("masked_remote_address", $"{new IPAddress(bytes[..count])}/{length}");
            return RateLimitActionResult.Entry;
        }
    }

    /// <summary>A fixed value where headers are as they should be, or are not.</summary>
    internal sealed class HeaderMatch(HeaderMatcher[] headers, bool expected, string entryKey, string entryValue) : RateLimitAction
    {
        public override RateLimitActionResult TryMake(HttpExchange exchange, out string key, out string value)
        {
            (key, value) = (entryKey, entryValue);
            var matches = true;
            for (var i = 0; i < headers.Length && matches; i++)
            {
                matches = headers[i].IsMatch(exchange.RequestHeaders);
            }

            return matches == expected ? RateLimitActionResult.Entry : RateLimitActionResult.NoDescriptor;
        }
    }

    /// <summary>A fixed value where query parameters are as they should be, or are not.</summary>
    internal sealed class QueryMatch(QueryParameterMatcher[] parameters, bool expected, string entryKey, string entryValue) : RateLimitAction
    {
        public override RateLimitActionResult TryMake(HttpExchange exchange, out string key, out string value)
        {
            (key, value) = (entryKey, entryValue);
            var path = exchange.RequestHeaders.Get(KnownHeader.Path);
            var mark = path.IndexOf((byte)'?');
            var query = mark < 0 ? default : path[(mark + 1)..];
            var matches = true;
            for (var i = 0; i < parameters.Length && matches; i++)
            {
                matches = parameters[i].IsMatch(query);
            }

            return matches == expected ? RateLimitActionResult.Entry : RateLimitActionResult.NoDescriptor;
        }
    }

    /// <summary>A text of the request's dynamic metadata or of its route's; the default, or what stands for its absence, where there is none.</summary>
    internal sealed class Metadata(string entryKey, string space, string[] keys, bool ofRoute, string defaultValue, bool skipIfAbsent) : RateLimitAction
    {
        public override RateLimitActionResult TryMake(HttpExchange exchange, out string key, out string value)
        {
            var found = !ofRoute ? exchange.Metadata?.Find(space, keys)
                : exchange.Route?.Message.Metadata?.FilterMetadata.TryGetValue(space, out var route) == true ? DynamicMetadata.Find(route, keys) : null;
            (key, value) = (entryKey, found is { StringValue.Length: > 0 } ? found.StringValue : defaultValue);
            return value.Length > 0 ? RateLimitActionResult.Entry : skipIfAbsent ? RateLimitActionResult.Skip : RateLimitActionResult.NoDescriptor;
        }
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}

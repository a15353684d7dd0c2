using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.AccessLogging;

/// <summary>Which requests are logged, or which local replies are changed (accesslog.v3.AccessLogFilter).</summary>
public abstract class AccessLogFilter
{
    /// <summary>Whether it holds for an exchange that has its response.</summary>
    public abstract bool Includes(HttpExchange exchange);

    /// <summary>All of the filters.</summary>
    public sealed class All(AccessLogFilter[] filters) : AccessLogFilter
    {
        /// <inheritdoc/>
        public override bool Includes(HttpExchange exchange)
        {
            foreach (var filter in filters)
            {
                if (!filter.Includes(exchange))
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>One of the filters.</summary>
    public sealed class Any(AccessLogFilter[] filters) : AccessLogFilter
    {
        /// <inheritdoc/>
        public override bool Includes(HttpExchange exchange)
        {
            foreach (var filter in filters)
            {
                if (filter.Includes(exchange))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Compares the status, or the milliseconds the request took.</summary>
    public sealed class Comparison(bool duration, AccessLogV3.ComparisonFilter.Types.Op op, long value) : AccessLogFilter
    {
        /// <inheritdoc/>
        public override bool Includes(HttpExchange exchange)
        {
            var actual = duration ? exchange.ElapsedMilliseconds : exchange.ResponseStatus;
            return op switch
            {
                AccessLogV3.ComparisonFilter.Types.Op.Ge => actual >= value,
                AccessLogV3.ComparisonFilter.Types.Op.Le => actual <= value,
                AccessLogV3.ComparisonFilter.Types.Op.Ne => actual != value,
                _ => actual == value,
            };
        }
    }

    /// <summary>A condition on a request header.</summary>
    public sealed class Header(HeaderMatcher matcher) : AccessLogFilter
    {
        /// <inheritdoc/>
        public override bool Includes(HttpExchange exchange) => matcher.IsMatch(exchange.RequestHeaders);
    }

    /// <summary>One of the flags, or with None any flag.</summary>
    public sealed class Flags(ResponseFlags flags) : AccessLogFilter
    {
        /// <inheritdoc/>
        public override bool Includes(HttpExchange exchange) =>
            flags == ResponseFlags.None ? exchange.Flags != ResponseFlags.None : (exchange.Flags & flags) != 0;
    }

    /// <summary>A part of all requests.</summary>
    public sealed class Fraction(RuntimeFraction fraction) : AccessLogFilter
    {
        /// <inheritdoc/>
        public override bool Includes(HttpExchange exchange) => fraction.Includes(exchange.Random);
    }

    /// <summary>A gRPC status, of the trailers or else of the headers.</summary>
    public sealed class GrpcStatus(int[] statuses, bool exclude) : AccessLogFilter
    {
        /// <inheritdoc/>
        public override bool Includes(HttpExchange exchange)
        {
            ReadOnlySpan<byte> text = default;
            _ = exchange.ResponseTrailers?.TryGet(KnownHeader.GrpcStatus, out text) == true
                || exchange.ResponseHeaders?.TryGet(KnownHeader.GrpcStatus, out text) == true;
            var status = int.TryParse(text, out var parsed) ? parsed : -1;
            return Array.IndexOf(statuses, status) >= 0 != exclude;
        }
    }

    /// <summary>Requests that are no health checks, which are never told apart here: all.</summary>
    public sealed class Everything : AccessLogFilter
    {
        /// <inheritdoc/>
        public override bool Includes(HttpExchange exchange) => true;
    }
}

using System.Buffers.Text;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>Asks an authorization service over HTTP: it gets the request's head, under a prefix, and its status is the answer.</summary>
internal sealed class ExtAuthzHttpClient(UpstreamCalls calls, ExtAuthzHttpModel service, ExtAuthzModel filter)
{
    private const int MaxBodyBytes = 1024 * 1024;

    /// <summary>Asks; null where the client went away.</summary>
    public async ValueTask<ExtAuthzVerdict?> CheckAsync(HttpExchange exchange, RequestBufferResult? body)
    {
        if (exchange.FindCluster(service.Cluster, calls.Clusters) is not { } cluster)
        {
            return new ExtAuthzVerdict { Decision = ExtAuthzDecision.Error };
        }

        var call = calls.Rent();
        try
        {
            WriteHead(call, exchange, body);
            var end = await call.SendAsync(cluster, body?.Kept ?? default, service.Timeout, MaxBodyBytes, exchange.Downstream);
            return end switch
            {
                UpstreamCallEnd.Answered => Read(call),
                UpstreamCallEnd.ClientGone => null,
                _ => new ExtAuthzVerdict { Decision = ExtAuthzDecision.Error },
            };
        }
        finally
        {
            calls.Return(call);
        }
    }

    private void WriteHead(UpstreamCall call, HttpExchange exchange, RequestBufferResult? body)
    {
        var from = exchange.RequestHeaders;
        var to = call.RequestHeaders;
        to.Set(KnownHeader.Method, from.Get(KnownHeader.Method));
        to.Set(KnownHeader.Scheme, "http"u8);
        if (service.PathPrefix.Length == 0)
        {
            to.Set(KnownHeader.Path, from.Get(KnownHeader.Path));
        }
        else
        {
            var path = FormatBuffer.Rent();
            path.Write(service.PathPrefix);
            path.Write(from.Get(KnownHeader.Path));
            to.Set(KnownHeader.Path, path.Written);
            path.Return();
        }

        to.Set(KnownHeader.Authority, from.Get(KnownHeader.Authority));
        Span<byte> digits = stackalloc byte[12];
        _ = Utf8Formatter.TryFormat(body?.Kept.Length ?? 0, digits, out var length);
        to.Set(KnownHeader.ContentLength, digits[..length]);
        foreach (var header in from)
        {
            if (!header.IsPseudo && !HeaderValues.IsFraming(header.Name) && IsAllowed(header.Name) && !header.Name.SequenceEqual("x-envoy-auth-partial-body"u8))
            {
                ExtAuthzCheck.AddJoined(to, header.Known, header.Name, header.Value);
            }
        }

        if (body is { } sent)
        {
            to.Set("x-envoy-auth-partial-body"u8, sent.IsComplete && sent.Kept.Length == sent.Length ? "false"u8 : "true"u8);
        }

        HeaderMutations.Apply(service.RequestHeaders, to, exchange);
        call.AddEnvoyHeaders(service.Timeout, forwardedFor: false);
    }

    private bool IsAllowed(ReadOnlySpan<byte> name) =>
        (filter.AllowedHeaders is { } allowed ? allowed.Includes(name) || name.SequenceEqual("authorization"u8) : name.SequenceEqual("authorization"u8))
        && filter.DisallowedHeaders?.Includes(name) != true;

    private ExtAuthzVerdict Read(UpstreamCall call)
    {
        var status = call.ResponseHeaders.Status;
        if (status is >= 500 or < 200)
        {
            return new ExtAuthzVerdict { Decision = ExtAuthzDecision.Error };
        }

        return status == 200 ? Allowed(call.ResponseHeaders) : Refused(call, status);
    }

    private ExtAuthzVerdict Allowed(HeaderMap headers)
    {
        var verdict = new ExtAuthzVerdict();
        foreach (var header in headers)
        {
            if (header.IsPseudo)
            {
                continue;
            }

            if (header.Name.SequenceEqual("x-envoy-auth-headers-to-remove"u8))
            {
                AddRemovals(verdict, header.Value);
                continue;
            }

            if (service.UpstreamHeaders?.Includes(header.Name) == true)
            {
                verdict.Add(ExtAuthzHeaderUse.SetInRequest, header.Name, header.Value);
            }

            if (service.UpstreamHeadersToAppend?.Includes(header.Name) == true)
            {
                verdict.Add(ExtAuthzHeaderUse.AppendInRequest, header.Name, header.Value);
            }

            if (service.ClientHeadersOnSuccess?.Includes(header.Name) == true)
            {
                verdict.Add(ExtAuthzHeaderUse.AddToResponse, header.Name, header.Value);
            }

            if (service.MetadataHeaders?.Includes(header.Name) == true)
            {
                (verdict.Metadata ??= new Struct()).Fields[Encoding.ASCII.GetString(header.Name)] = Value.ForString(Encoding.UTF8.GetString(header.Value));
            }
        }

        return verdict;
    }

    private ExtAuthzVerdict Refused(UpstreamCall call, int status)
    {
        var body = call.ResponseBody;
        var verdict = new ExtAuthzVerdict
        {
            Decision = ExtAuthzDecision.Denied,
            Status = status,
            Body = body[..Math.Min(body.Length, filter.MaxDeniedBodyBytes)].ToArray(),
        };
        foreach (var header in call.ResponseHeaders)
        {
            if (!header.IsPseudo && !header.Name.SequenceEqual("x-envoy-auth-headers-to-remove"u8) && IsForClient(header.Name))
            {
                verdict.Add(ExtAuthzHeaderUse.InRefusal, header.Name, header.Value);
            }
        }

        return verdict;
    }

    // Where a list is given, Envoy adds what a refusal cannot do without.
    private bool IsForClient(ReadOnlySpan<byte> name) => service.ClientHeaders is not { } list || list.Includes(name)
        || name.SequenceEqual("www-authenticate"u8) || name.SequenceEqual("location"u8);

    private static void AddRemovals(ExtAuthzVerdict verdict, ReadOnlySpan<byte> list)
    {
        Span<byte> lower = stackalloc byte[256];
        while (!list.IsEmpty)
        {
            var comma = list.IndexOf((byte)',');
            var name = (comma < 0 ? list : list[..comma]).Trim(" \t"u8);
            list = comma < 0 ? default : list[(comma + 1)..];
            if (name.Length > lower.Length)
            {
                // To go on with a header that the service wants gone would be to go on without its word.
                verdict.Decision = ExtAuthzDecision.Invalid;
                return;
            }

            if (!name.IsEmpty)
            {
                Ascii.ToLower(name, lower, out var length);
                verdict.AddRemoval(lower[..length]);
            }
        }
    }
}

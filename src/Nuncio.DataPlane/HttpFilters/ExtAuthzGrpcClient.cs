using System.Text;
using Envoy.Service.Auth.V3;
using Google.Protobuf.Collections;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Pipeline;
using Nuncio.Grpc;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>Asks an authorization service over gRPC (envoy.service.auth.v3.Authorization).</summary>
internal sealed class ExtAuthzGrpcClient(UpstreamCalls calls, GrpcServiceModel service, ExtAuthzModel filter)
{
    private static readonly GrpcMethod<CheckRequest, CheckResponse> Check = new("envoy.service.auth.v3.Authorization", "Check");
    private static readonly byte[] Path = Encoding.ASCII.GetBytes(Check.Path);

    /// <summary>Asks; null where the client went away.</summary>
    public async ValueTask<ExtAuthzVerdict?> CheckAsync(
        HttpExchange exchange, string filterName, ExtAuthzBodyModel? settings, RequestBufferResult? body)
    {
        var request = ExtAuthzCheck.Request(exchange, filter, filterName, settings, body);
        var (response, status) = await GrpcUnary.CallAsync(calls, service, Check, Path, request, service.Timeout, exchange.Downstream);
        if (response is null)
        {
            return Failed(status);
        }

        var verdict = (response.Status?.Code ?? 0) == 0 ? Allowed(response.OkResponse)
            : response.ErrorResponse is not null ? new ExtAuthzVerdict { Decision = ExtAuthzDecision.Error } : Refused(response.DeniedResponse);
        // Services that were written before the field moved still fill the other.
        verdict.Metadata = response.DynamicMetadata ?? response.OkResponse?.DynamicMetadata;
        return verdict;
    }

    private static ExtAuthzVerdict? Failed(GrpcStatus status) =>
        status is { Code: GrpcStatusCode.Cancelled, Message: GrpcUnary.ClientGone } ? null : new ExtAuthzVerdict { Decision = ExtAuthzDecision.Error };

    private static ExtAuthzVerdict Allowed(OkHttpResponse? ok)
    {
        var verdict = new ExtAuthzVerdict();
        if (ok is null)
        {
            return verdict;
        }

        foreach (var option in ok.Headers)
        {
            Add(verdict, option.Append == true ? ExtAuthzHeaderUse.AppendInRequest : ExtAuthzHeaderUse.SetInRequest, option.Header);
        }

        foreach (var name in ok.HeadersToRemove)
        {
            verdict.AddRemoval(Encoding.UTF8.GetBytes(name.ToLowerInvariant()));
        }

        foreach (var option in ok.ResponseHeadersToAdd)
        {
            Add(verdict, ResponseUse(option), option.Header);
        }

        foreach (var parameter in ok.QueryParametersToSet)
        {
            (verdict.SetQuery ??= []).Add((parameter.Key, parameter.Value));
        }

        foreach (var name in ok.QueryParametersToRemove)
        {
            (verdict.RemoveQuery ??= []).Add(name);
        }

        return verdict;
    }

    private static ExtAuthzHeaderUse ResponseUse(CoreV3.HeaderValueOption option) => option.Append switch
    {
        true => ExtAuthzHeaderUse.AddToResponse,
        false => ExtAuthzHeaderUse.SetInResponse,
        null => option.AppendAction switch
        {
            CoreV3.HeaderValueOption.Types.HeaderAppendAction.AddIfAbsent => ExtAuthzHeaderUse.AddToResponseIfAbsent,
            CoreV3.HeaderValueOption.Types.HeaderAppendAction.OverwriteIfExists => ExtAuthzHeaderUse.OverwriteInResponse,
            CoreV3.HeaderValueOption.Types.HeaderAppendAction.OverwriteIfExistsOrAdd => ExtAuthzHeaderUse.SetInResponse,
            _ => ExtAuthzHeaderUse.AddToResponse,
        },
    };

    private ExtAuthzVerdict Refused(DeniedHttpResponse? denied)
    {
        var verdict = new ExtAuthzVerdict { Decision = ExtAuthzDecision.Denied };
        if (denied is null)
        {
            return verdict;
        }

        var status = (int)(denied.Status?.Code ?? 0);
        verdict.Status = status is >= 200 and <= 599 ? status : 403;
        var body = Encoding.UTF8.GetBytes(denied.Body);
        verdict.Body = body.AsMemory(0, Math.Min(body.Length, filter.MaxDeniedBodyBytes));
        AddRefusal(verdict, denied.Headers);
        return verdict;
    }

    private static void AddRefusal(ExtAuthzVerdict verdict, RepeatedField<CoreV3.HeaderValueOption> headers)
    {
        foreach (var option in headers)
        {
            Add(verdict, ExtAuthzHeaderUse.InRefusal, option.Header);
        }
    }

    private static void Add(ExtAuthzVerdict verdict, ExtAuthzHeaderUse use, CoreV3.HeaderValue? header)
    {
        if (header is not null)
        {
            verdict.Add(
                use, Encoding.UTF8.GetBytes(header.Key.ToLowerInvariant()),
                header.RawValue.IsEmpty ? Encoding.UTF8.GetBytes(header.Value) : header.RawValue.Span);
        }
    }
}

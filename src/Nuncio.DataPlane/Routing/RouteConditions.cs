using System.Globalization;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Routing;

/// <summary>Compares one route with a request (route.v3.RouteMatch).</summary>
public static class RouteConditions
{
    /// <summary>Whether all conditions hold.</summary>
    public static bool Hold(RouteMatchModel match, in RouteInput input)
    {
        if (!IsPathMatch(match, input))
        {
            return false;
        }

        foreach (var header in match.Headers)
        {
            if (!header.IsMatch(input.Headers))
            {
                return false;
            }
        }

        if (!match.Fraction.Includes(input.Random))
        {
            return false;
        }

        foreach (var parameter in match.QueryParameters)
        {
            if (!parameter.IsMatch(input.Query))
            {
                return false;
            }
        }

        foreach (var cookie in match.Cookies)
        {
            if (!cookie.IsMatch(input.Headers))
            {
                return false;
            }
        }

        return (!match.Grpc || GrpcRequests.IsGrpc(input.Headers)) && IsTlsMatch(match, input);
    }

    /// <summary>The first condition that does not hold, for a person; null where all do.</summary>
    public static string? FirstFailure(RouteMatchModel match, in RouteInput input)
    {
        if (!IsPathMatch(match, input))
        {
            return match.ToString();
        }

        foreach (var header in match.Headers)
        {
            if (!header.IsMatch(input.Headers))
            {
                return header.ToString();
            }
        }

        foreach (var parameter in match.QueryParameters)
        {
            if (!parameter.IsMatch(input.Query))
            {
                return parameter.ToString();
            }
        }

        foreach (var cookie in match.Cookies)
        {
            if (!cookie.IsMatch(input.Headers))
            {
                return cookie.ToString();
            }
        }

        if (match.Grpc && !GrpcRequests.IsGrpc(input.Headers))
        {
            return "gRPC request";
        }

        if (!IsTlsMatch(match, input))
        {
            return "client certificate";
        }

        return match.Fraction.Includes(input.Random)
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"the part of requests it takes ({match.Fraction.Numerator} of {match.Fraction.Denominator})");
    }

    // A CONNECT request has no path to compare: only connect_matcher takes it (and a prefix of "/", as Envoy's does where the path is empty: none).
    private static bool IsPathMatch(RouteMatchModel match, in RouteInput input) =>
        match.Kind == PathMatchKind.Connect ? input.IsConnect : match.IsPathMatch(input.Path);

    private static bool IsTlsMatch(RouteMatchModel match, in RouteInput input)
    {
        if (match.CertificatePresented is { } presented && presented != (input.Connection?.PeerCertificate is not null))
        {
            return false;
        }

        return match.CertificateValidated is not { } validated || validated == (input.Connection?.PeerCertificateValidated ?? false);
    }
}

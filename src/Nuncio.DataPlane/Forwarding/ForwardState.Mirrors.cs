using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Forwarding;

/// <content>Copies of the request for other clusters: sent when the request is complete, their answers dropped.</content>
internal sealed partial class ForwardState
{
    private readonly List<MirrorRequest> _mirrors = [];
    private bool _mirroring;

    private void BeginMirrors()
    {
        var policies = _exchange.MirrorPolicies;
        for (var i = 0; i < policies.Count; i++)
        {
            var policy = policies[i];
            if (!policy.Fraction.Includes(_exchange.Random))
            {
                continue;
            }

            var name = policy.ClusterHeader == null ? policy.Cluster
                : _exchange.RequestHeaders.TryGet(policy.ClusterHeader, out var value) ? System.Text.Encoding.Latin1.GetString(value)
                : "";
            if (_exchange.FindCluster(name, _router.Clusters) is { } cluster)
            {
                _mirrors.Add(new MirrorRequest(cluster, policy, _exchange, _forward, _timeouts.Global));
            }
        }

        _mirroring = _mirrors.Count > 0;
    }

    private void EndMirrors()
    {
        if (_mirrors.Count == 0)
        {
            return;
        }

        // A request that was too long to keep, or that broke off, is not mirrored.
        if (_mirroring && _requestEnded)
        {
            var body = _kept.AsSpan(0, _keptLength).ToArray();
            var trailers = _hasTrailers ? _exchange.Downstream.RequestTrailers : null;
            foreach (var mirror in _mirrors)
            {
                mirror.Start(body, trailers);
            }
        }

        _mirrors.Clear();
        _mirroring = false;
    }
}

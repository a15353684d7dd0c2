using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Forwarding;

/// <content>Copies of the request for other clusters: sent as the request comes, their answers dropped.</content>
internal sealed partial class ForwardState
{
    private readonly List<MirrorRequest> _mirrors = [];

    // With the first endpoint: what has nowhere to go is not copied either.
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
                var mirror = new MirrorRequest(cluster, policy, _exchange, _forward, _timeouts.Global, _keepLimit);
                mirror.Start(_hasBody);
                if (_hasBody)
                {
                    _mirrors.Add(mirror);
                }
            }
        }
    }

    private void Mirror(BodyRead read)
    {
        for (var i = 0; i < _mirrors.Count; i++)
        {
            if (!_mirrors[i].TryAdd(read.Data.Span))
            {
                _cluster.Metrics.RetryOrShadowAbandoned.Increment();
            }

            if (read.EndStream)
            {
                _mirrors[i].Complete(_exchange.Downstream.RequestTrailers);
            }
        }
    }

    private async ValueTask WaitForMirrorsAsync()
    {
        for (var i = 0; i < _mirrors.Count; i++)
        {
            for (var flushed = false; _mirrors[i].IsFull; flushed = true)
            {
                if (!flushed)
                {
                    await FlushTargetAsync();
                }

                await _mirrors[i].WaitForRoomAsync();
            }
        }
    }

    private void LeaveMirrors()
    {
        for (var i = 0; i < _mirrors.Count; i++)
        {
            _mirrors[i].OnRequestOver();
        }
    }
}

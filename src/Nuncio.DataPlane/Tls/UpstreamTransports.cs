using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Tls;

/// <summary>
/// Upstream TLS models by their message: clusters compare models by identity to see whether their connections are still right. Secrets rotate inside a model.
/// </summary>
internal sealed class UpstreamTransports
{
    private readonly Dictionary<CoreV3.TransportSocket, WeakReference<UpstreamTransportModel>> _known = [];
    private readonly SecretTable _secrets;
    private readonly TimeProvider _time;

    public UpstreamTransports(SecretTable secrets, TimeProvider time)
    {
        _secrets = secrets;
        _time = time;
    }

    /// <summary>For <see cref="ClusterBinder"/>.</summary>
    public UpstreamTransportModel? Bind(CoreV3.TransportSocket socket, string path, BindErrors errors)
    {
        if (_known.TryGetValue(socket, out var weak) && weak.TryGetTarget(out var known))
        {
            return known;
        }

        var before = errors.Count;
        var model = UpstreamTlsModel.Bind(socket, path, _secrets, _time, errors);
        if (model is not null && errors.Count == before)
        {
            foreach (var (gone, _) in _known.Where(static pair => !pair.Value.TryGetTarget(out _)).ToList())
            {
                _known.Remove(gone);
            }

            _known[socket] = new WeakReference<UpstreamTransportModel>(model);
        }

        return model;
    }
}

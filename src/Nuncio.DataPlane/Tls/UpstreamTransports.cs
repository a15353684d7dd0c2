using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Tls;

/// <summary>
/// Upstream TLS models by their message: clusters compare models by identity to see whether their connections are still right. Secrets rotate inside a model.
/// </summary>
internal sealed class UpstreamTransports
{
    private readonly Dictionary<CoreV3.TransportSocket, (WeakReference<UpstreamTransportModel> Model, BindErrors Remarks)> _known = [];
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
        if (_known.TryGetValue(socket, out var weak) && weak.Model.TryGetTarget(out var known))
        {
            errors.AddAll(path, weak.Remarks);
            return known;
        }

        var own = new BindErrors();
        var model = UpstreamTlsModel.Bind(socket, "", _secrets, _time, own);
        errors.AddAll(path, own);
        if (model is not null && !own.Any)
        {
            foreach (var (gone, _) in _known.Where(static pair => !pair.Value.Model.TryGetTarget(out _)).ToList())
            {
                _known.Remove(gone);
            }

            _known[socket] = (new WeakReference<UpstreamTransportModel>(model), own);
        }

        return model;
    }
}

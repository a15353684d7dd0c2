using System.Text;
using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.LoadBalancing;

/// <summary>A ketama ring as Envoy builds it: each endpoint at points hashed of <c>ADDRESS_N</c>, in number by its weight.</summary>
internal sealed class RingHashPicker : EndpointPicker
{
    private readonly ulong[] _points;
    private readonly EndpointState[] _owners;

    public RingHashPicker(EndpointState[] endpoints, double[] weights, ulong minimumSize, ulong maximumSize, bool byHostname)
    {
        var total = weights.Sum();
        var smallest = weights.Min() / total;

        // So many points that the lightest endpoint has a whole number of them, if the maximum allows.
        var scale = Math.Min(Math.Ceiling(smallest * minimumSize) / smallest, maximumSize);
        var size = (int)Math.Ceiling(scale);
        var points = new List<(ulong Point, EndpointState Owner)>(size);
        var current = 0.0;
        var target = 0.0;
        for (var i = 0; i < endpoints.Length; i++)
        {
            var key = endpoints[i].HashKey(byHostname) + "_";
            target += scale * weights[i] / total;
            for (var n = 0; current < target; n++, current++)
            {
                points.Add((XxHash64.Hash(Encoding.UTF8.GetBytes(key + n.ToString(System.Globalization.CultureInfo.InvariantCulture))), endpoints[i]));
            }
        }

        points.Sort(static (x, y) => x.Point.CompareTo(y.Point));
        _points = [.. points.Select(p => p.Point)];
        _owners = [.. points.Select(p => p.Owner)];
    }

    public override EndpointState Pick(ulong hash, int attempt)
    {
        var index = Array.BinarySearch(_points, hash);
        index = (index < 0 ? ~index : index) + attempt;
        return _owners[index % _owners.Length];
    }
}

using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>Whether an upgrade may pass: the route's word holds, else the connection manager's; not named is not allowed.</summary>
internal static class Upgrades
{
    public static bool IsAllowed(HeaderMap headers, bool isConnect, ForwardModel? forward, HttpConnectionManagerModel model)
    {
        var wanted = isConnect ? "CONNECT"u8 : headers.Get(KnownHeader.Upgrade);
        return Find(forward?.Upgrades ?? [], wanted) ?? Find(model.Upgrades, wanted) ?? false;
    }

    private static bool? Find(IReadOnlyList<UpgradeModel> upgrades, ReadOnlySpan<byte> wanted)
    {
        for (var i = 0; i < upgrades.Count; i++)
        {
            if (Ascii.EqualsIgnoreCase(wanted, upgrades[i].Type))
            {
                return upgrades[i].Enabled;
            }
        }

        return null;
    }
}

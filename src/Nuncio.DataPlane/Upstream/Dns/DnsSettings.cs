using System.Globalization;
using System.Net;

namespace Nuncio.DataPlane.Upstream.Dns;

/// <summary>Which servers are asked and how names are completed (resolv.conf(5)), and the names that need no server (hosts(5)).</summary>
internal sealed class DnsSettings
{
    private const int MaxServers = 3;
    private const int MaxSearched = 32;

    /// <summary>In the order in which they are asked; empty where there is no configuration.</summary>
    public IReadOnlyList<IPEndPoint> Servers { get; init; } = [];

    /// <summary>Appended to short names.</summary>
    public IReadOnlyList<string> Searched { get; init; } = [];

    /// <summary>A name with so many dots is first asked for as it is. Default 1.</summary>
    public int Dots { get; init; } = 1;

    /// <summary>For each server and try. Default 5 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often each server is asked. Default 2.</summary>
    public int Attempts { get; init; } = 2;

    /// <summary>Names with addresses of their own, lower-case.</summary>
    public IReadOnlyDictionary<string, List<IPAddress>> Hosts { get; init; } = new Dictionary<string, List<IPAddress>>();

    /// <summary>Reads the two files' lines. What cannot be read is passed over, as other resolvers do.</summary>
    public static DnsSettings Parse(IEnumerable<string> resolver, IEnumerable<string> hosts)
    {
        var servers = new List<IPEndPoint>();
        List<string> searched = [];
        var (dots, timeout, attempts) = (1, 5, 2);
        foreach (var words in Words(resolver, "#;"))
        {
            switch (words[0])
            {
                case "nameserver" when words.Length > 1 && servers.Count < MaxServers && IPAddress.TryParse(words[1], out var address):
                    servers.Add(new IPEndPoint(address, 53));
                    break;
                case "search" or "domain" when words.Length > 1:
                    searched = [.. words.Skip(1).Take(MaxSearched).Select(static word => word.Trim('.')).Where(static word => word.Length > 0)];
                    break;
                case "options":
                    foreach (var option in words.Skip(1))
                    {
                        dots = Option(option, "ndots:", dots, 0, 15);
                        timeout = Option(option, "timeout:", timeout, 1, 30);
                        attempts = Option(option, "attempts:", attempts, 1, 5);
                    }

                    break;
            }
        }

        var known = new Dictionary<string, List<IPAddress>>(StringComparer.OrdinalIgnoreCase);
        foreach (var words in Words(hosts, "#"))
        {
            if (IPAddress.TryParse(words[0], out var address))
            {
                foreach (var name in words.Skip(1))
                {
                    known.TryAdd(name, []);
                    known[name].Add(address);
                }
            }
        }

        return new DnsSettings
        {
            Servers = servers,
            Searched = searched,
            Dots = dots,
            Timeout = TimeSpan.FromSeconds(timeout),
            Attempts = attempts,
            Hosts = known,
        };
    }

    /// <summary>The names to ask for, in order.</summary>
    public IEnumerable<string> Candidates(string name)
    {
        if (name.EndsWith('.'))
        {
            return [name];
        }

        var completed = Searched.Select(domain => name + "." + domain);
        return name.AsSpan().Count('.') >= Dots ? [name, .. completed] : [.. completed, name];
    }

    private static IEnumerable<string[]> Words(IEnumerable<string> lines, string comments)
    {
        foreach (var line in lines)
        {
            var end = line.AsSpan().IndexOfAny(comments);
            var words = (end < 0 ? line : line[..end]).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 0)
            {
                yield return words;
            }
        }
    }

    private static int Option(string option, string name, int otherwise, int least, int most) =>
        option.StartsWith(name, StringComparison.Ordinal)
            && int.TryParse(option.AsSpan(name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? Math.Clamp(value, least, most)
            : otherwise;
}

using System.Globalization;
using Nuncio.Testing;
using Xunit.Abstractions;

namespace Nuncio.EndToEndTests.Conformance.Smuggling;

/// <summary>
/// Requests that two readers could take in two ways, each sent to the gateway and, where they are there, to Envoy and nginx, each with an upstream of its
/// own. A line of <c>requests.txt</c> is a name, what the gateway is to answer, why it may differ from Envoy (or nothing), and the bytes.
/// </summary>
public sealed class SmugglingTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    [SkippableFact]
    public async Task Corpus_OnEveryProxy_IsForwardedInOneReadingOnly()
    {
        var cases = Corpus.Read("requests.txt");
        cases.Count.ShouldBeGreaterThanOrEqualTo(500);
        await using var ours = new RecordingUpstream();
        await using var envoys = new RecordingUpstream();
        await using var nginxs = new RecordingUpstream();
        await using var nuncio = await ProxyFixture.StartNuncioAsync(ours.Port);
        await using var envoy = await ProxyFixture.StartEnvoyAsync(envoys.Port);
        await using var nginx = await ProxyFixture.StartNginxAsync(nginxs.Port);
        var answers = new string[cases.Count];

        await Parallel.ForAsync(0, cases.Count, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            var request = cases[i].Bytes(Mark(i));
            var want = cases[i].Want;
            answers[i] = await nuncio.SendAsync(request, told => told == want, want == "-" ? Moment : Patience);

            // What the others are to have forwarded is waited for; where they answer otherwise, as they may, no more than that many answers can come.
            var forwarded = Forwarded(want);
            bool IsEnough(string told) => Answered(told) >= Math.Max(1, forwarded);
            if (envoy is not null) await envoy.SendAsync(request, IsEnough, forwarded == 0 || cases[i].Difference.Length > 0 ? Moment : Patience);
            if (nginx is not null) await nginx.SendAsync(request, IsEnough, forwarded == 0 ? Moment : Patience);
        });

        var faults = new List<string>();
        for (var i = 0; i < cases.Count; i++)
        {
            var (name, want, difference, _) = cases[i];
            var seen = ours.Complete(Mark(i));
            if (answers[i] != want) faults.Add($"{name}: answered {answers[i]}, not {want}");
            var forwarded = Forwarded(answers[i]);
            if (seen.Count != forwarded) faults.Add($"{name}: answered {answers[i]}, but the upstream saw {seen.Count} requests: {string.Join(" // ", seen)}");
            if (envoy is not null && difference.Length == 0) Compare(faults, name, "envoy", seen, envoys.Complete(Mark(i)), whole: true);
            if (nginx is not null) Compare(faults, name, "nginx", seen, nginxs.Complete(Mark(i)), whole: false);
        }

        output.WriteLine($"{cases.Count} requests; ambiguous at the upstream of nuncio {ours.Ambiguous.Count}, of envoy {envoys.Ambiguous.Count}, of nginx {nginxs.Ambiguous.Count}");
        ours.Ambiguous.ShouldBeEmpty();
        faults.ShouldBeEmpty(string.Join('\n', faults));
        Skip.If(envoy is null || nginx is null, "passed without comparing: envoy or nginx is missing");
    }

    // What we forward, the other forwards too, and in the same words; it may forward more, of what we refuse.
    private static void Compare(List<string> faults, string name, string other, IReadOnlyList<string> ours, IReadOnlyList<string> theirs, bool whole)
    {
        for (var i = 0; i < ours.Count; i++)
        {
            // nginx has rules of its own about targets and hosts: with it, method and body are compared, where it lets the request pass.
            if (whole ? i >= theirs.Count || ours[i] != theirs[i] : i < theirs.Count && Essence(ours[i]) != Essence(theirs[i]))
            {
                faults.Add($"{name}: forwarded {ours[i]}, {other} {(i < theirs.Count ? theirs[i] : "nothing")}");
            }
        }
    }

    private static int Forwarded(string told) => told.Split(' ').Count(static word => word.Length == 3);

    private static int Answered(string told) => told.Split(' ').Count(static word => word is not ("-" or "close"));

    private static string Essence(string request) => request.Split(' ')[0] + request[request.LastIndexOf('|')..];

    private static string Mark(int index) => string.Create(CultureInfo.InvariantCulture, $"t{index:0000}");
}

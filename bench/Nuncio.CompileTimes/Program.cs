using System.Diagnostics;
using System.Globalization;
using Nuncio.CompileTimes;
using Nuncio.Compiler;

// Prints "what | median" lines that bench/compare puts into its table.
var mappings = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 10_000;
const int Rounds = 9;

// Two snapshots that share no object, so that "from scratch" is not saved by what was remembered of the other.
var first = SyntheticSnapshot.Create(mappings);
var scratch = Median(Rounds, warmUp: 3, _ =>
{
    var watch = Stopwatch.StartNew();
    var result = new SnapshotCompiler(CompilerOptions.Default).Compile(first);
    Expect(result, mappings);
    return watch.Elapsed;
});

var compiler = new SnapshotCompiler(CompilerOptions.Default);
compiler.Compile(first);
var current = first;
var changed = Median(Rounds * 3, warmUp: 9, round =>
{
    current = SyntheticSnapshot.Change(current, round * 37 % mappings, round);
    var watch = Stopwatch.StartNew();
    Expect(compiler.Compile(current), mappings);
    return watch.Elapsed;
});

Print($"compile {mappings:N0} Mappings, from scratch", scratch);
Print($"compile {mappings:N0} Mappings, one changed", changed);

static TimeSpan Median(int rounds, int warmUp, Func<int, TimeSpan> measure)
{
    var times = new List<TimeSpan>();
    for (var round = 0; round < warmUp + rounds; round++)
    {
        var time = measure(round);
        if (round >= warmUp) times.Add(time);
    }

    times.Sort();
    return times[times.Count / 2];
}

// A compiler that lost the routes would be fast.
static void Expect(CompilationResult result, int mappings)
{
    var routes = result.Snapshot.RouteConfigurations.Values.Sum(configuration => configuration.Message.VirtualHosts.Sum(host => host.Routes.Count));
    if (routes < mappings) throw new InvalidOperationException($"{routes} routes from {mappings} Mappings");
}

static void Print(string what, TimeSpan time) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what} | {time.TotalMilliseconds:F1} ms"));

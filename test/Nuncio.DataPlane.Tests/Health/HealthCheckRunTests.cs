using Nuncio.DataPlane.Health;
using Nuncio.DataPlane.Model;
using static Nuncio.DataPlane.Health.HealthProbeResult;

namespace Nuncio.DataPlane.Tests.Health;

/// <summary>What follows from the results of a check: as measured with Envoy 1.40.</summary>
public sealed class HealthCheckRunTests
{
    private static readonly HealthCheckModel Model = new()
    {
        Timeout = TimeSpan.FromSeconds(1),
        Interval = TimeSpan.FromSeconds(4),
        UnhealthyInterval = TimeSpan.FromSeconds(6),
        UnhealthyEdgeInterval = TimeSpan.FromSeconds(2),
        HealthyEdgeInterval = TimeSpan.FromSeconds(1),
        NoTrafficInterval = TimeSpan.FromSeconds(3),
        NoTrafficHealthyInterval = TimeSpan.FromSeconds(5),
        UnhealthyThreshold = 3,
        HealthyThreshold = 3,
        Probe = new TcpHealthProbeModel(),
    };

    // p: passed, d: passed as degraded, f: failed at once, x: failed at once and excluded, r: retriable, n: no answer, c: a client's answer said so.
    // Behind each the health: H healthy, D degraded, U unhealthy, X unhealthy and excluded.
    [Theory]
    [InlineData("pH")]
    [InlineData("nU pU pU pH")]
    [InlineData("pH nH nH nU pU pU pH")]
    [InlineData("pH nH nH pH nH nH nU")]
    [InlineData("pH rH rH rU")]
    [InlineData("pH rH nH rU")]
    [InlineData("pH fU pU pU nU pU pU pH")]
    [InlineData("pH nH fU")]
    [InlineData("pH dD pH")]
    [InlineData("dD nD nD nU")]
    [InlineData("pH xX pX pX pH nH")]
    [InlineData("pH cX pX pX pH")]
    [InlineData("cX pX pX pH")]
    public void Take_Results_GiveTheHealthThatEnvoyGives(string results)
    {
        var run = new HealthCheckRun(Model);
        foreach (var step in results.Split(' '))
        {
            run.Take(Result(step[0]));
            var health = run.IsHealthy ? run.IsDegraded ? 'D' : 'H' : run.IsExcluded ? 'X' : 'U';
            health.ShouldBe(step[1], $"{results}, at {step}");
        }
    }

    // Behind each result the seconds until the next check.
    [Theory]
    [InlineData(true, "p4 p4 n2 n2 n6 n6 p1 p1 p4 p4")]
    [InlineData(true, "n6 n6 p1 p1 p4 f6 p1 f6")]
    [InlineData(true, "p4 r2 p4 n2 f6")]
    [InlineData(true, "p4 d4 p4")]
    [InlineData(false, "p5 p5 n3 n3 n3 n3 p3 p3 p5")]
    [InlineData(false, "f3 f3 p3 p3 p5 f3 p3 f3")]
    public void NextInterval_AfterResults_IsTheEdgesWhileTheHealthIsPending(bool inUse, string results)
    {
        var run = new HealthCheckRun(Model);
        foreach (var step in results.Split(' '))
        {
            run.Take(Result(step[0]));
            run.NextInterval(inUse).ShouldBe(TimeSpan.FromSeconds(step[1] - '0'), $"{results}, at {step}");
        }
    }

    [Fact]
    public void NextInterval_NothingButTheInterval_IsThatForAll()
    {
        var run = new HealthCheckRun(new HealthCheckModel
        {
            Timeout = Model.Timeout, Interval = Model.Interval, UnhealthyThreshold = 2, HealthyThreshold = 2, Probe = Model.Probe,
        });
        foreach (var result in "npprrnpp")
        {
            run.Take(Result(result));
            run.NextInterval(inUse: true).ShouldBe(Model.Interval);
            run.NextInterval(inUse: false).ShouldBe(TimeSpan.FromSeconds(60));
        }
    }

    private static HealthProbeResult Result(char letter) => letter switch
    {
        'p' => Passed,
        'd' => PassedDegraded,
        'f' => Failed,
        'x' => FailedExcluded,
        'r' => FailedRetriable,
        'n' => NetworkFailed,
        _ => FailedPassively,
    };
}

using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Tests.Forwarding;
using Nuncio.DataPlane.Tests.Upstream;
using Nuncio.Xds;

namespace Nuncio.DataPlane.Tests.Health;

/// <summary>When endpoints are ejected, for how long, and who comes back, under a clock that the test moves; as measured with Envoy 1.40.</summary>
public sealed class OutlierDetectorTests
{
    private const string Prefix = "envoy_cluster_outlier_detection_ejections_";

    [Fact]
    public void EjectionTime_GrowsToItsMost_AndShrinksWithQuietIntervals()
    {
        using var clusters = new Clusters(
            1, "\"interval\":\"10s\",\"base_ejection_time\":\"96s\",\"max_ejection_time\":\"245s\",\"max_ejection_percent\":100,\"consecutive_5xx\":2");
        var endpoint = clusters.Endpoints[0];
        clusters.EjectedFor(endpoint).ShouldBe(10);
        clusters.EjectedFor(endpoint).ShouldBe(20);
        clusters.EjectedFor(endpoint).ShouldBe(25);
        for (var i = 0; i < 2; i++) clusters.EjectedFor(endpoint).ShouldBe(25);

        // The interval in which it comes back is no quiet one; four times the base would be more than the most, so that it was counted no further than there.
        clusters.Pass(2);
        clusters.EjectedFor(endpoint).ShouldBe(25);
        clusters.Pass(3);
        clusters.EjectedFor(endpoint).ShouldBe(10);
        clusters.Pass(10);
        clusters.EjectedFor(endpoint).ShouldBe(10);
    }

    [Fact]
    public void MaxEjectionTime_BelowTheBase_IsTheBase()
    {
        using var clusters = new Clusters(
            1, "\"interval\":\"10s\",\"base_ejection_time\":\"96s\",\"max_ejection_time\":\"50s\",\"max_ejection_percent\":100,\"consecutive_5xx\":2");
        clusters.EjectedFor(clusters.Endpoints[0]).ShouldBe(10);
        clusters.EjectedFor(clusters.Endpoints[0]).ShouldBe(10);
    }

    [Theory]
    [InlineData(10, 10, 1)]
    [InlineData(9, 10, 0)]
    [InlineData(9, 12, 1)]
    [InlineData(10, 25, 2)]
    [InlineData(4, 100, 4)]
    public void MaxEjectionPercent_IsOfAll_TheOneInQuestionIncluded(int all, int percent, int ejected)
    {
        using var clusters = new Clusters(all, $"\"max_ejection_percent\":{percent},\"consecutive_5xx\":1");
        foreach (var endpoint in clusters.Endpoints) clusters.Detector.OnResponse(endpoint, 500);
        clusters.Count("active").ShouldBe(ejected);
        clusters.Count("enforced_total").ShouldBe(ejected);
        clusters.Count("overflow").ShouldBe(all - ejected);
        clusters.Count("detected_consecutive_5xx").ShouldBe(all);
    }

    [Fact]
    public void ConsecutiveFailures_AreInterruptedByWhatIsNone()
    {
        using var clusters = new Clusters(
            3, "\"max_ejection_percent\":100,\"consecutive_5xx\":3,\"consecutive_gateway_failure\":2,\"enforcing_consecutive_gateway_failure\":100");
        var (one, two, three) = (clusters.Endpoints[0], clusters.Endpoints[1], clusters.Endpoints[2]);
        foreach (var status in (int[])[500, 500, 200, 500, 503, 404, 502, 500]) clusters.Detector.OnResponse(one, status);
        IsEjected(one).ShouldBeFalse();
        clusters.Detector.OnResponse(one, 500);
        IsEjected(one).ShouldBeTrue();
        clusters.Detector.OnResponse(two, 504);
        clusters.Detector.OnLocalFailure(two);
        IsEjected(two).ShouldBeTrue();
        foreach (var status in (int[])[503, 500, 502]) clusters.Detector.OnResponse(three, status);
        clusters.Count("enforced_consecutive_5xx").ShouldBe(2);
        clusters.Count("enforced_consecutive_gateway_failure").ShouldBe(1);

        // Its counts begin anew when it comes back.
        clusters.Pass(4);
        IsEjected(one).ShouldBeFalse();
        clusters.Detector.OnResponse(one, 500);
        clusters.Detector.OnResponse(one, 500);
        IsEjected(one).ShouldBeFalse();
    }

    [Fact]
    public void LocalOriginFailures_CountApart_WhereTheyAreTold()
    {
        using var clusters = new Clusters(
            2, "\"max_ejection_percent\":100,\"split_external_local_origin_errors\":true,\"consecutive_local_origin_failure\":2,\"consecutive_5xx\":2");
        var (one, two) = (clusters.Endpoints[0], clusters.Endpoints[1]);
        clusters.Detector.OnResponse(one, 500);
        clusters.Detector.OnLocalFailure(one);
        clusters.Detector.OnConnected(one);
        clusters.Detector.OnLocalFailure(one);
        IsEjected(one).ShouldBeFalse();
        clusters.Detector.OnLocalFailure(one);
        IsEjected(one).ShouldBeTrue();
        clusters.Count("enforced_consecutive_local_origin_failure").ShouldBe(1);

        // A connection says nothing of the answers on it, and the other way round.
        clusters.Detector.OnResponse(two, 500);
        clusters.Detector.OnConnectedFinally(two);
        clusters.Detector.OnResponse(two, 500);
        IsEjected(two).ShouldBeTrue();
    }

    [Fact]
    public void SuccessRate_FarBelowTheOthers_Ejects()
    {
        using var clusters = new Clusters(5, "\"interval\":\"10s\",\"max_ejection_percent\":100,\"consecutive_5xx\":1000,\"success_rate_request_volume\":100");
        clusters.AnswersButOf(2, good: 100);
        clusters.Answers(clusters.Endpoints[2], good: 50, bad: 50);
        clusters.Pass(1);
        clusters.Endpoints.Select(IsEjected).ShouldBe([false, false, true, false, false]);
        clusters.Count("enforced_success_rate").ShouldBe(1);
        clusters.Count("success_rate").ShouldBe(1);
    }

    [Theory]
    [InlineData(4, 100, 5, 100)]
    [InlineData(5, 99, 5, 100)]
    public void SuccessRate_OfTooFewEndpointsOrRequests_DoesNotEject(int all, int requests, int hosts, int volume)
    {
        using var clusters = new Clusters(
            all,
            $"\"interval\":\"10s\",\"max_ejection_percent\":100,\"consecutive_5xx\":1000,\"success_rate_minimum_hosts\":{hosts},\"success_rate_request_volume\":{volume}");
        clusters.AnswersButOf(2, good: requests);
        clusters.Answers(clusters.Endpoints[2], good: 0, bad: requests);
        clusters.Pass(1);
        clusters.Count("detected_success_rate").ShouldBe(0);
    }

    [Fact]
    public void SuccessRate_CountsEachIntervalByItself()
    {
        using var clusters = new Clusters(5, "\"interval\":\"10s\",\"max_ejection_percent\":100,\"consecutive_5xx\":1000,\"success_rate_request_volume\":100");
        for (var i = 0; i < 3; i++)
        {
            clusters.AnswersButOf(0, good: 60);
            clusters.Answers(clusters.Endpoints[0], good: 0, bad: 60);
            clusters.Pass(1);
        }

        clusters.Count("active").ShouldBe(0);
    }

    [Theory]
    [InlineData(15, 85, true)]
    [InlineData(16, 84, false)]
    public void FailurePercentage_AtItsThreshold_Ejects(int good, int bad, bool ejects)
    {
        using var clusters = new Clusters(
            2, """
            "interval":"10s","max_ejection_percent":100,"consecutive_5xx":1000,"enforcing_failure_percentage":100,"failure_percentage_minimum_hosts":2,
            "failure_percentage_request_volume":100
            """);
        clusters.Answers(clusters.Endpoints[0], good, bad);
        clusters.Answers(clusters.Endpoints[1], 100, 0);
        clusters.Pass(1);
        IsEjected(clusters.Endpoints[0]).ShouldBe(ejects);
        clusters.Count("detected_failure_percentage").ShouldBe(ejects ? 1 : 0);
    }

    [Fact]
    public void FailurePercentage_NotEnforced_IsOnlyDetected()
    {
        using var clusters = new Clusters(
            1, """
            "interval":"10s","max_ejection_percent":100,"consecutive_5xx":1000,"failure_percentage_minimum_hosts":1,"failure_percentage_request_volume":10
            """);
        clusters.Answers(clusters.Endpoints[0], 0, 10);
        clusters.Pass(1);
        clusters.Count("detected_failure_percentage").ShouldBe(1);
        clusters.Count("active").ShouldBe(0);
    }

    [Fact]
    public void RatesOfConnections_AreComparedApart()
    {
        using var clusters = new Clusters(
            6, """
            "interval":"10s","max_ejection_percent":100,"split_external_local_origin_errors":true,"consecutive_local_origin_failure":1000,
            "consecutive_5xx":1000,"success_rate_request_volume":50,"enforcing_failure_percentage_local_origin":100,"failure_percentage_request_volume":20,
            "failure_percentage_threshold":90
            """);
        foreach (var endpoint in clusters.Endpoints)
        {
            for (var i = 0; i < 60; i++)
            {
                clusters.Detector.OnConnected(endpoint);
                clusters.Detector.OnResponse(endpoint, 200);
            }
        }

        for (var i = 0; i < 60; i++) clusters.Detector.OnLocalFailure(clusters.Endpoints[1]);
        clusters.Pass(1);
        clusters.Count("enforced_local_origin_success_rate").ShouldBe(1);
        clusters.Count("enforced_success_rate").ShouldBe(0);
        IsEjected(clusters.Endpoints[1]).ShouldBeTrue();
        foreach (var endpoint in clusters.Endpoints)
        {
            for (var i = 0; i < 30; i++)
            {
                if (endpoint == clusters.Endpoints[3]) clusters.Detector.OnLocalFailure(endpoint);
                else clusters.Detector.OnConnected(endpoint);
            }
        }

        clusters.Pass(1);
        clusters.Count("enforced_local_origin_failure_percentage").ShouldBe(1);
        IsEjected(clusters.Endpoints[3]).ShouldBeTrue();
    }

    [Theory]
    [InlineData("", true)]
    [InlineData(",\"successful_active_health_check_uneject_host\":false", false)]
    public void ActiveCheckThatPasses_EndsTheEjection(string field, bool ends)
    {
        using var clusters = new Clusters(1, "\"max_ejection_percent\":100,\"consecutive_5xx\":1" + field);
        clusters.Detector.OnResponse(clusters.Endpoints[0], 500);
        clusters.Detector.OnActiveCheckPassed(clusters.Endpoints[0]);
        IsEjected(clusters.Endpoints[0]).ShouldBe(!ends);
        clusters.Count("active").ShouldBe(ends ? 0 : 1);
    }

    [Fact]
    public async Task TimeOfTheRequest_IsAFailureUntilTheAnswerHasBegun()
    {
        await using var fixture = new ForwardingFixture(
            "\"timeout\":\"1s\",",
            "\"outlier_detection\":{\"consecutive_5xx\":1,\"max_ejection_percent\":100,\"interval\":\"600s\",\"base_ejection_time\":\"600s\"},");
        var client = await fixture.SendAsync();
        var peer = await fixture.AcceptAsync();
        await peer.SendAsync("HTTP/1.1 200 x\r\ncontent-length: 10\r\n\r\nabc");
        await client.WaitForHeadAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(2));
        await fixture.WaitUntilIdleAsync();
        fixture.Count("upstream_rq_timeout").ShouldBe(1);
        fixture.Count("outlier_detection_ejections_active").ShouldBe(0);

        await fixture.SendAsync();
        await fixture.AcceptAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(2));
        await fixture.WaitUntilIdleAsync();
        fixture.Count("upstream_rq_timeout").ShouldBe(2);
        fixture.Count("outlier_detection_ejections_active").ShouldBe(1);
    }

    private static bool IsEjected(EndpointState endpoint) => (endpoint.HealthFlags & EndpointHealthFlags.FailedOutlierCheck) != 0;

    private sealed class Clusters : IDisposable
    {
        private readonly ManualTimeProvider _time = new();
        private readonly Upstreams _upstreams;

        public Clusters(int endpoints, string detection)
        {
            _upstreams = new Upstreams(_time);
            var message = Upstreams.Cluster("c", [.. Enumerable.Range(1, endpoints).Select(i => ($"10.0.0.{i}", 80))]);
            using var json = System.Text.Json.JsonDocument.Parse($"{{ {detection} }}");
            XdsJson.TryParse<ClusterV3.OutlierDetection>(json.RootElement, out var parsed, out var error).ShouldBeTrue(error?.ToString());
            message.OutlierDetection = parsed;
            _upstreams.Apply(message);
            _upstreams.Refused.ShouldBeEmpty();
            Endpoints = [.. _upstreams.Table.Find("c")!.Endpoints];
            Detector = _upstreams.Table.Find("c")!.Outlier!;
        }

        public IReadOnlyList<EndpointState> Endpoints { get; }

        public Nuncio.DataPlane.Health.OutlierDetector Detector { get; }

        public long Count(string name) => _upstreams.Metric(Prefix + name, "c") ?? 0;

        public void AnswersButOf(int index, int good)
        {
            for (var i = 0; i < Endpoints.Count; i++) Answers(Endpoints[i], i == index ? 0 : good, 0);
        }

        public void Answers(EndpointState endpoint, int good, int bad)
        {
            for (var i = 0; i < good; i++) Detector.OnResponse(endpoint, 200);
            for (var i = 0; i < bad; i++) Detector.OnResponse(endpoint, 500);
        }

        /// <summary>Intervals of 10 s; a little more, since timers have a grain.</summary>
        public void Pass(int intervals)
        {
            for (var i = 0; i < intervals; i++) _time.Advance(TimeSpan.FromSeconds(10.03));
        }

        /// <summary>Ejects it and says with which interval it is back.</summary>
        public int EjectedFor(EndpointState endpoint)
        {
            Answers(endpoint, 0, 2);
            IsEjected(endpoint).ShouldBeTrue();
            for (var intervals = 1; ; intervals++)
            {
                intervals.ShouldBeLessThan(100);
                Pass(1);
                if (!IsEjected(endpoint)) return intervals;
            }
        }

        public void Dispose() => _upstreams.Dispose();
    }
}

namespace Nuncio.Grpc.Tests.Client;

public class GrpcBackOffTests
{
    [Fact]
    public void Next_Repeated_IsBoundedByWhatDoubles()
    {
        var backOff = new GrpcBackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), new HighRandom());

        var waits = Enumerable.Range(0, 5).Select(_ => Math.Round(backOff.Next().TotalSeconds)).ToArray();

        waits.ShouldBe([1, 2, 4, 5, 5]);
    }

    [Fact]
    public void Reset_AfterFailures_BeginsAnew()
    {
        var backOff = new GrpcBackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), new HighRandom());
        for (var i = 0; i < 4; i++) backOff.Next();

        backOff.Reset();

        backOff.Next().ShouldBeLessThan(TimeSpan.FromSeconds(1));
    }

    private sealed class HighRandom : Random
    {
        public override double NextDouble() => 0.999999;
    }
}

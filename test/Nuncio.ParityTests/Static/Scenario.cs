namespace Nuncio.ParityTests.Static;

/// <summary>Something that is done to both planes alike, with notes on what became of it.</summary>
/// <param name="Name">Unique; also the mark by which the access log and the upstreams' view are found, as the query of the target.</param>
/// <param name="RunAsync">Does it to one plane.</param>
/// <param name="IsRandom">Who was asked, and so what the log says, is chance: the scenario says itself what of it must be alike.</param>
internal sealed record Scenario(string Name, Func<StaticPlane, Observation, Task> RunAsync, bool IsRandom = false);

/// <summary>Scenarios that belong together, with the Envoy resources that they need.</summary>
/// <param name="Name">For the page.</param>
/// <param name="Listeners">As JSON.</param>
/// <param name="Clusters">As JSON.</param>
/// <param name="Scenarios">Done one after the other; areas beside each other.</param>
internal sealed record Area(string Name, IReadOnlyList<string> Listeners, IReadOnlyList<string> Clusters, IReadOnlyList<Scenario> Scenarios);

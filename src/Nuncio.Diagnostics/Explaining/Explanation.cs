using Nuncio.Resources.Findings;

namespace Nuncio.Diagnostics.Explaining;

/// <summary>What becomes of a request, step by step; the first step that is null is where it ends.</summary>
public sealed record Explanation
{
    /// <summary>The request.</summary>
    public required ExplainRequest Request { get; init; }

    /// <summary>The listener that takes the connection.</summary>
    public ListenerStep? Listener { get; init; }

    /// <summary>The filter chain of that listener.</summary>
    public FilterChainStep? FilterChain { get; init; }

    /// <summary>The virtual host.</summary>
    public VirtualHostStep? VirtualHost { get; init; }

    /// <summary>The path as routes see it, where cleaning changed it.</summary>
    public string? CleanedPath { get; init; }

    /// <summary>The route that takes the request.</summary>
    public RouteStep? Route { get; init; }

    /// <summary>Routes that come before it and nearly took it; where no route did, those that came closest.</summary>
    public ImmutableArray<RouteMiss> NearMisses { get; init; } = [];

    /// <summary>What happens then.</summary>
    public required Outcome Outcome { get; init; }
}

/// <summary>The listener.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="Resource">The resource it was made for; null for an assumed one.</param>
/// <param name="Reason">Why it was chosen.</param>
public sealed record ListenerStep(string Name, string Address, ResourceKey? Resource, string Reason);

/// <summary>The filter chain.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ServerNames">Names it is for; empty for any.</param>
/// <param name="IsTls">Whether it terminates TLS.</param>
public sealed record FilterChainStep(string Name, ImmutableArray<string> ServerNames, bool IsTls);

/// <summary>The virtual host.</summary>
/// <param name="RouteConfiguration">The route configuration it is in.</param>
/// <param name="Name">Its name.</param>
/// <param name="Domains">Hosts it is for.</param>
/// <param name="RouteCount">How many routes it has.</param>
public sealed record VirtualHostStep(string RouteConfiguration, string Name, ImmutableArray<string> Domains, int RouteCount);

/// <summary>A route.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Position">Its place in the order of the virtual host, from 1.</param>
/// <param name="Conditions">When it is taken.</param>
/// <param name="Resource">The resource it was made for; null for one that belongs to none.</param>
/// <param name="Location">Where that resource stands.</param>
public sealed record RouteStep(string Name, int Position, string Conditions, ResourceKey? Resource, SourceLocation? Location);

/// <summary>A route that did not take the request.</summary>
/// <param name="Route">The route.</param>
/// <param name="FailedCondition">The first of its conditions that does not hold.</param>
public sealed record RouteMiss(RouteStep Route, string FailedCondition);

/// <summary>What the client gets.</summary>
public abstract record Outcome;

/// <summary>The request goes to an upstream.</summary>
/// <param name="Clusters">One, or several by weight.</param>
/// <param name="Path">The path and query that the upstream sees.</param>
/// <param name="Host">The host that the upstream sees; null when it is that of the endpoint.</param>
/// <param name="Timeout">Of the whole response; null for none.</param>
/// <param name="Mirrors">Clusters that get a copy.</param>
public sealed record ForwardOutcome(
    ImmutableArray<ClusterStep> Clusters, string Path, string? Host, TimeSpan? Timeout, ImmutableArray<ClusterStep> Mirrors) : Outcome;

/// <summary>A cluster.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Percent">Its share of the requests.</param>
/// <param name="Discovery">How its endpoints are found.</param>
/// <param name="Tls">Whether TLS is originated.</param>
/// <param name="Endpoints">Addresses or names, with ports.</param>
/// <param name="Resources">The resources that use it.</param>
public sealed record ClusterStep(
    string Name, double Percent, string Discovery, bool Tls, ImmutableArray<string> Endpoints, ImmutableArray<ResourceKey> Resources);

/// <summary>The gateway answers with a redirect.</summary>
public sealed record RedirectOutcome(int Status, string Location) : Outcome;

/// <summary>The gateway answers by itself.</summary>
/// <param name="Status">The status.</param>
/// <param name="Reason">Why.</param>
public sealed record AnswerOutcome(int Status, string Reason) : Outcome;

/// <summary>The connection is closed, or never accepted.</summary>
public sealed record ClosedOutcome(string Reason) : Outcome;

/// <summary>The bytes of the connection go to an upstream as they are.</summary>
public sealed record TunnelOutcome(ImmutableArray<ClusterStep> Clusters) : Outcome;

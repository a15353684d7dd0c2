namespace Nuncio.DataPlane.Matching;

/// <summary>A part of all requests (core.v3.RuntimeFractionalPercent). Runtime keys are not looked up: their default holds.</summary>
/// <param name="Numerator">How many.</param>
/// <param name="Denominator">Of how many: 100, 10,000 or 1,000,000.</param>
public readonly record struct RuntimeFraction(uint Numerator, uint Denominator)
{
    /// <summary>All requests.</summary>
    public static RuntimeFraction Always => new(100, 100);

    /// <summary>Every request is in it.</summary>
    public bool IsAlways => Numerator >= Denominator;

    /// <summary>Whether the request with this random value is in it. One request keeps one value, so that fractions of several routes add up.</summary>
    public bool Includes(ulong random) => Numerator >= Denominator || random % Denominator < Numerator;
}

namespace MiniCnn.Tests;

/// <summary>
/// A value without rounding, and a bound on the error of a float computation that rounds to nearest after each operation, or after some of them (running error
/// analysis: Higham, Accuracy and Stability of Numerical Algorithms, 3.3).
/// </summary>
readonly record struct Rounded(double Value, double Error)
{
    /// <summary>Half of the distance from 1 to the next float: the largest relative error of one rounding.</summary>
    public const double Epsilon = 1.0 / (1 << 24);

    /// <summary>An exact float.</summary>
    public static implicit operator Rounded(float value) => new(value, 0);

    /// <summary>A number that may be rounded to float.</summary>
    public static implicit operator Rounded(double value) => Of(value, 0);

    public static Rounded operator +(Rounded a, Rounded b) => Of(a.Value + b.Value, a.Error + b.Error);

    public static Rounded operator -(Rounded a, Rounded b) => Of(a.Value - b.Value, a.Error + b.Error);

    public static Rounded operator *(Rounded a, Rounded b) =>
        Of(a.Value * b.Value, Math.Abs(a.Value) * b.Error + Math.Abs(b.Value) * a.Error + a.Error * b.Error);

    public static Rounded operator /(Rounded a, Rounded b) =>
        Of(a.Value / b.Value, (a.Error + Math.Abs(a.Value / b.Value) * b.Error) / (Math.Abs(b.Value) - b.Error));

    public static Rounded Sqrt(Rounded a) =>
        Of(Math.Sqrt(a.Value), a.Error == 0 ? 0 : a.Error / (Math.Sqrt(a.Value) + Math.Sqrt(Math.Max(0, a.Value - a.Error))));

    public void AssertIs(string what, double number) =>
        Assert.True(Math.Abs(number - Value) <= Error, $"{what}: {number}, not {Value} ± {Error}");

    static Rounded Of(double value, double before) => new(value, before + Epsilon * (Math.Abs(value) + before));
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>y = x for x > 0, else negativeSlope · x, elementwise; dx = dy for x > 0, else negativeSlope · dy.</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html.</remarks>
/// <param name="negativeSlope">Slope for x below 0.</param>
/// <exception cref="ArgumentException">The slope is not finite.</exception>
public sealed class LeakyReLU(double negativeSlope = 0.01) : Layer
{
    /// <summary>Slope for x below 0.</summary>
    public double NegativeSlope { get; } = double.IsFinite(negativeSlope)
        ? negativeSlope : throw new ArgumentException(FormattableString.Invariant($"LeakyReLU's slope must be a finite number, not {negativeSlope}"));

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    /// <summary>“LeakyReLU(0.01)”.</summary>
    public override string ToString() => FormattableString.Invariant($"LeakyReLU({NegativeSlope})");

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("negativeSlope", NegativeSlope)];

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) =>
        Elementwise.Forward(x, y, new Curve<T>(T.CreateTruncating(NegativeSlope)));

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context) =>
        Elementwise.Backward(x, y, dy, dx, new Curve<T>(T.CreateTruncating(NegativeSlope)));

    readonly struct Curve<T>(T slope) : ICurve<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V At<V>(V x) where V : struct, ILanes<V, T> => Gradient(x, x, x);        // with dy = x: x or slope · x

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Gradient<V>(V x, V y, V dy) where V : struct, ILanes<V, T> =>
            dy * V.Select(V.Greater(x, V.Broadcast(T.Zero)), V.Broadcast(T.One), V.Broadcast(slope));
    }
}

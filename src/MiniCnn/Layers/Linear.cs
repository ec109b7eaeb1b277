using System.Numerics;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>y[o] = b[o] + Σ w[o,i] · x[i], the sum over the input features i.</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html.</remarks>
public sealed class Linear : Layer
{
    readonly int inputFeatures, outputFeatures;

    /// <summary>A layer from inputFeatures to outputFeatures.</summary>
    /// <exception cref="ArgumentException">Features below 1.</exception>
    public Linear(int inputFeatures, int outputFeatures, bool bias = true)
    {
        if (inputFeatures < 1 || outputFeatures < 1)
            throw new ArgumentException($"features must be at least 1, not {inputFeatures} in, {outputFeatures} out");
        (this.inputFeatures, this.outputFeatures) = (inputFeatures, outputFeatures);
        Weight = new(this, "weight", outputFeatures, inputFeatures);
        Bias = bias ? new(this, "bias", outputFeatures) : null;
        Parameters = Bias is null ? [Weight] : [Weight, Bias];
        Initialize(seed: 0);
    }

    /// <summary>[outputFeatures, inputFeatures].</summary>
    public Parameter Weight { get; }

    /// <summary>[outputFeatures], or null.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (!input.IsFlat)
            Refuse($"takes {inputFeatures} features, not images of {input}; put a Flatten() before it");
        if (input.Channels != inputFeatures)
            Refuse($"takes {inputFeatures} features, not {input.Channels}");
        return ImageShape.Features(outputFeatures);
    }

    /// <summary>“Linear(400→10)”.</summary>
    public override string ToString() => $"Linear({inputFeatures}→{outputFeatures}{(Bias is null ? ", no bias" : "")})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments =>
        [("inputFeatures", inputFeatures), ("outputFeatures", outputFeatures), ("bias", Bias is not null)];

    internal override long MultiplyAdds(ImageShape input) => (long)inputFeatures * outputFeatures;

    internal override void Initialize(TorchGenerator generator) => Init.Default(generator, Weight, Bias);

    internal override void Forward<T, V>(LaneTensor<T> x, LaneTensor<T> y, Pass<T> pass)
    {
        if (V.Count == 1 && (object)x is LaneTensor<float> { Lanes: 1 } row)
            Simd.Run(inputFeatures, new ForwardRow(this, row, (LaneTensor<float>)(object)y));
        else
            Forward<T, V>(x, y);
    }

    internal override void Backward<T, V>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, Pass<T> pass)
    {
        if (V.Count == 1 && (object)x is LaneTensor<float> { Lanes: 1 } row)
            Simd.Run(inputFeatures, new BackwardRow(this, row, (LaneTensor<float>)(object)dy, (LaneTensor<float>?)(object?)dx, (Pass<float>)(object)pass));
        else
            Backward<T, V>(x, dy, dx, pass);
    }

    // One lane: vectors lie along the features.
    readonly struct ForwardRow(Linear layer, LaneTensor<float> x, LaneTensor<float> y) : ILaneWork
    {
        public void Run<V>() where V : struct, ILanes<V, float> => layer.Forward<float, V>(x, y);
    }

    readonly struct BackwardRow(Linear layer, LaneTensor<float> x, LaneTensor<float> dy, LaneTensor<float>? dx, Pass<float> pass) : ILaneWork
    {
        public void Run<V>() where V : struct, ILanes<V, float> => layer.Backward<float, V>(x, dy, dx, pass);
    }

    unsafe void Forward<T, V>(LaneTensor<T> x, LaneTensor<T> y) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        fixed (T* w = Weight.ValueAs<T>(), b = Bias is null ? [] : Bias.ValueAs<T>())
            LinearForward.Run<T, V>(w, b, x, y);
    }

    unsafe void Backward<T, V>(LaneTensor<T> x, LaneTensor<T> dy, LaneTensor<T>? dx, Pass<T> pass)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        fixed (T* w = Weight.ValueAs<T>(), dw = Weight.GradientAs<T>(), db = Bias is null ? [] : Bias.GradientAs<T>())
        {
            if (Weight.Trainable)
                LinearBackward.Weight<T, V>(x, dy, dw, pass);
            if (Bias is { Trainable: true })
                BiasGradient.Run<T, V>(dy, db);
            if (dx is not null)
                LinearBackward.Input<T, V>(dy, w, dx);
        }
    }
}

using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>A fully connected layer, [N, inputFeatures] → [N, outputFeatures]: y[o] = b[o] + Σ w[o,i] · x[i], the sum over the input features i.</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html.</remarks>
public sealed class Linear : Layer
{
    /// <summary>Creates a fully connected layer.</summary>
    /// <param name="inputFeatures">Number of features of x.</param>
    /// <param name="outputFeatures">Number of features of y.</param>
    /// <param name="bias">Whether a learned bias is added to each output feature.</param>
    /// <exception cref="ArgumentException">A number of features is below 1.</exception>
    public Linear(int inputFeatures, int outputFeatures, bool bias = true)
    {
        if (inputFeatures < 1 || outputFeatures < 1)
            throw new ArgumentException($"features must be at least 1, not {inputFeatures} in, {outputFeatures} out");
        (InputFeatures, OutputFeatures) = (inputFeatures, outputFeatures);
        Weight = new(this, "weight", outputFeatures, inputFeatures);
        Bias = bias ? new(this, "bias", outputFeatures) : null;
        Parameters = Bias is null ? [Weight] : [Weight, Bias];
        Init.Default(Weight, Bias);
    }

    /// <summary>Number of features of x.</summary>
    public int InputFeatures { get; }

    /// <summary>Number of features of y.</summary>
    public int OutputFeatures { get; }

    /// <summary>[outputFeatures, inputFeatures].</summary>
    public Parameter Weight { get; }

    /// <summary>[outputFeatures]; null if the layer has no bias.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (!input.IsFlat)
            Refuse($"takes {InputFeatures} features, not images of {input}; put a Flatten() before it");
        if (input.Channels != InputFeatures)
            Refuse($"takes {InputFeatures} features, not {input.Channels}");
        return ImageShape.Features(OutputFeatures);
    }

    /// <summary>“Linear(400→10)”.</summary>
    public override string ToString() => $"Linear({InputFeatures}→{OutputFeatures}{(Bias is null ? ", no bias" : "")})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments =>
        [("inputFeatures", InputFeatures), ("outputFeatures", OutputFeatures), ("bias", Bias is not null)];

    internal override long MultiplyAdds(ImageShape input) => (long)InputFeatures * OutputFeatures;

    internal override unsafe void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        fixed (T* w = Weight.ValueAs<T>(), b = Bias is null ? [] : Bias.ValueAs<T>())
            LinearForward.Run(w, b, x, y);
    }

    internal override unsafe void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        fixed (T* w = Weight.ValueAs<T>(), dw = Weight.GradientAs<T>(), db = Bias is null ? [] : Bias.GradientAs<T>())
        {
            if (Weight.Trainable)
                LinearBackward.Weight(x, dy, dw, context.State<LaneBuffer<T>>());
            if (Bias is { Trainable: true })
                BiasGradient.Run(dy, db);
            if (dx is not null)
                LinearBackward.Input(dy, w, dx);
        }
    }
}

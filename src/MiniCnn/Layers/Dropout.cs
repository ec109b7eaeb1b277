using System.Numerics;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>In training y = x / (1 − p) with probability 1 − p, else 0, for each element; in evaluation y = x.</summary>
/// <remarks>
/// Which elements stay is a pure function (<see cref="Philox"/>) of the model's seed, the layer's place, the training step, the image and the element:
/// it does not depend on threads or on what ran before. The two passes of a step work it out each for itself.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html.
/// </remarks>
/// <param name="probability">Each element goes with this probability.</param>
/// <exception cref="ArgumentException">A probability outside [0, 1].</exception>
public sealed class Dropout(double probability = 0.5) : Layer
{
    /// <summary>Each element goes with this probability.</summary>
    public double Probability { get; } = probability is >= 0 and <= 1
        ? probability : throw new ArgumentException(FormattableString.Invariant($"the dropout probability must lie in [0, 1], not {probability}"));

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    /// <summary>“Dropout(0.5)”.</summary>
    public override string ToString() => FormattableString.Invariant($"Dropout({Probability})");

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("probability", Probability)];

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        Trains(context);
        Run(x, y, context);
    }

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            Run(dy, dx, context);
    }

    /// <summary>to = mask · from; forward and backward are the same linear map.</summary>
    void Run<T>(LaneTensor<T> from, LaneTensor<T> to, LayerContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ulong gone = (ulong)(Probability * 4294967296.0);                        // of the 2³² values of a word
        if (!context.Trained || gone == 0)
        {
            to.CopyFrom(from);
            return;
        }
        T scale = Probability < 1 ? T.CreateTruncating(1 / (1 - Probability)) : T.Zero;
        Philox random = new(context.Seed, context.Purpose, context.Step);
        new DropoutMask<T>(random, (uint)(gone - 1), scale, from, to).Run();
    }
}

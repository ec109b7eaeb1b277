using System.Numerics;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>In training, sets each element to 0 with probability p and to x / (1 − p) otherwise. In evaluation, y = x.</summary>
/// <remarks>
/// The mask is a pure function (<see cref="Philox"/>) of the model's seed, the position of the layer in the model, the training step, the image index
/// and the element index. It does not depend on the number of threads or on earlier calls. Forward and backward each compute it again.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html.
/// </remarks>
/// <param name="probability">Probability p of setting an element to 0.</param>
/// <exception cref="ArgumentException">The probability is outside [0, 1].</exception>
public sealed class Dropout(double probability = 0.5) : Layer
{
    /// <summary>Probability p of setting an element to 0.</summary>
    public double Probability { get; } = probability is >= 0 and <= 1
        ? probability : throw new ArgumentException(FormattableString.Invariant($"the dropout probability must be in [0, 1], not {probability}"));

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
        ulong dropped = (ulong)(Probability * 4294967296.0);                     // of the 2³² values of a random word
        if (!context.Trained || dropped == 0)
        {
            to.CopyFrom(from);
            return;
        }
        T scale = Probability < 1 ? T.CreateTruncating(1 / (1 - Probability)) : T.Zero;
        Philox random = new(context.Seed, context.Purpose, context.Step);
        new DropoutMask<T>(random, (uint)(dropped - 1), scale, from, to).Run();
    }
}

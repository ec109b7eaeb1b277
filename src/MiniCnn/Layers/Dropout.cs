using System.Numerics;

namespace MiniCnn;

/// <summary>In training y = x / (1 − p) with probability 1 − p, else 0, for each element; otherwise y = x.</summary>
/// <remarks>
/// Which elements stay is a pure function (<see cref="Philox"/>) of the model's seed, the layer's place, the training step, the image and the element:
/// it does not depend on threads or on what ran before. The two passes of a step work it out each for itself.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html.
/// </remarks>
public sealed class Dropout : Layer
{
    readonly double probability;

    /// <summary>Each element goes with this probability.</summary>
    /// <exception cref="ArgumentException">A probability outside [0, 1].</exception>
    public Dropout(double probability = 0.5)
    {
        if (!(probability is >= 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"the dropout probability must lie in [0, 1], not {probability}"));
        this.probability = probability;
    }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    /// <summary>“Dropout(0.5)”.</summary>
    public override string ToString() => FormattableString.Invariant($"Dropout({probability})");

    internal override void Forward<T, V>(LaneTensor<T> x, LaneTensor<T> y, Pass<T> pass)
    {
        if (pass.Training && probability > 0)
            Workers.RunPlanes(y, new MaskPlane<T>(probability, pass, x, y));
        else
            y.CopyFrom(x);
    }

    internal override void Backward<T, V>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, Pass<T> pass)
    {
        if (dx is not null)
            Workers.RunPlanes(dx, new MaskPlane<T>(probability, pass, dy, dx));
    }

    /// <summary>to = mask · from; forward and backward are the same linear map.</summary>
    readonly unsafe struct MaskPlane<T>(double probability, Pass<T> pass, LaneTensor<T> from, LaneTensor<T> to) : IWork
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Run(int plane)
        {
            (int group, int channel) = Math.DivRem(plane, to.Shape.Channels);
            T scale = probability < 1 ? T.CreateTruncating(1 / (1 - probability)) : T.Zero;
            ulong threshold = (ulong)(probability * 4294967296.0);               // of the 2³² values of a word, those that go
            for (int lane = 0; lane < to.Lanes; lane++)
            {
                Philox random = new(pass.Seed, pass.Purpose, pass.Step, group * to.Lanes + lane);
                for (int row = 0; row < to.Shape.Height; row++)
                {
                    T* source = from.At(plane, row) + lane, target = to.At(plane, row) + lane;
                    int element = (channel * to.Shape.Height + row) * to.Shape.Width;
                    for (int column = 0; column < to.Shape.Width; column++)
                        target[column * to.Lanes] = random.Word(element + column) < threshold ? T.Zero : scale * source[column * to.Lanes];
                }
            }
        }
    }
}

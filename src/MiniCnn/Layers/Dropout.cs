using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

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

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("probability", probability)];

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Run(x, y, context);

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            Run(dy, dx, context);
    }

    /// <summary>to = mask · from; forward and backward are the same linear map.</summary>
    void Run<T>(LaneTensor<T> from, LaneTensor<T> to, LayerContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ulong gone = (ulong)(probability * 4294967296.0);                        // of the 2³² values of a word
        if (!context.Training || gone == 0)
        {
            to.CopyFrom(from);
            return;
        }
        T scale = probability < 1 ? T.CreateTruncating(1 / (1 - probability)) : T.Zero;
        Philox random = new(context.Seed, context.Purpose, context.Step);
        Simd.Run(to, to.Blocks * Mask<T>.Parts(to.Shape), nint.MaxValue, new Mask<T>(random, (uint)(gone - 1), scale, from, to));
    }

    /// <summary>Elements of a block of images; four neighbours take the four words of one draw.</summary>
    readonly unsafe struct Mask<T>(Philox random, uint last, T scale, LaneTensor<T> from, LaneTensor<T> to) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        const int Elements = 512;

        public static int Parts(ImageShape shape) => (int)((shape.Length + Elements - 1) / Elements);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            ImageShape shape = from.IsOneRow && to.IsOneRow ? new(1, 1, (int)to.Shape.Length) : to.Shape;
            (int block, int piece) = Math.DivRem(part, Parts(shape));
            uint* words = stackalloc uint[4 * LaneTensor<T>.FullLanes];
            V scales = V.Broadcast(scale), zero = V.Broadcast(T.Zero);
            T* source = null, target = null;
            int first = piece * Elements, end = (int)Math.Min(shape.Length, first + Elements), leftInRow = 0;
            for (int element = first; element < end; element++, source += to.Lanes, target += to.Lanes, leftInRow--)
            {
                if (leftInRow == 0)
                {
                    (int line, int column) = Math.DivRem(element, shape.Width);
                    (int channel, int row) = Math.DivRem(line, shape.Height);
                    source = from.At(block, channel, row) + column * to.Lanes;
                    target = to.At(block, channel, row) + column * to.Lanes;
                    leftInRow = shape.Width - column;
                }
                if (element % 4 == 0)
                    random.Words(element / 4, block * to.Lanes, to.Lanes, words);
                for (int lane = 0; lane < to.Lanes; lane += V.Count)
                {
                    V goes = V.AtMost(words + element % 4 * to.Lanes + lane, last);
                    V.Select(goes, zero, scales * V.Load(source + lane)).Store(target + lane);
                }
            }
        }
    }
}

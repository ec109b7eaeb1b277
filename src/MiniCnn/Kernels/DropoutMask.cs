using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>to = scale · from, or 0 for elements with a random word of at most last: both passes of <see cref="Dropout"/>.</summary>
/// <remarks>A part is some elements of one block of images. Four neighboring elements use the four words of one random draw.</remarks>
readonly unsafe struct DropoutMask<T>(Philox random, uint last, T scale, LaneTensor<T> from, LaneTensor<T> to) : ILaneWork<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    const int Elements = 512;                                                  // of a part; with one lane, 512 words × 4 bytes = 2 kB of stack

    // One row of all elements if they are contiguous.
    readonly ImageShape shape = from.IsOneRow && to.IsOneRow ? new(1, 1, (int)to.Shape.Length) : to.Shape;

    public void Run() => Simd.Run(to, to.Blocks * Parts, nint.MaxValue, this, LaneTensor<T>.FullLanes);

    int Parts => (int)((shape.Length + Elements - 1) / Elements);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<V>(int part) where V : struct, ILanes<V, T>
    {
        (int block, int piece) = Math.DivRem(part, Parts);
        int lanes = to.Lanes, first = piece * Elements, end = (int)Math.Min(shape.Length, first + Elements);
        uint* words = stackalloc uint[Elements];
        V scales = V.Broadcast(scale), zero = V.Broadcast(T.Zero);
        if (lanes == 1)
            random.Draws(first / 4, (end - first + 3) / 4, block, words);
        for (int element = first, count; element < end; element += count)
        {
            (int line, int column) = Math.DivRem(element, shape.Width);
            (int channel, int row) = Math.DivRem(line, shape.Height);
            T* source = from.At(block, channel, row) + column * lanes, target = to.At(block, channel, row) + column * lanes;
            count = Math.Min(shape.Width - column, end - element);             // to the end of the row
            int i = 0;
            for (; i < count && lanes > 1; i++)
            {
                int word = (element + i) % 4;
                if (word == 0)
                    random.Words((element + i) / 4, block * lanes, lanes, words);
                for (int lane = 0; lane < lanes; lane += V.Count, source += V.Count, target += V.Count)
                    V.Select(V.AtMost(words + word * lanes + lane, last), zero, scales * V.Load(source)).Store(target);
            }
            for (; i <= count - V.Count; i += V.Count)
                V.Select(V.AtMost(words + element - first + i, last), zero, scales * V.Load(source + i)).Store(target + i);
            for (; i < count; i++)
                target[i] = words[element - first + i] <= last ? T.Zero : scale * source[i];
        }
    }
}

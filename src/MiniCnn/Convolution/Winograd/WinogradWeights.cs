using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The weights of a 3×3 convolution in Winograd's form, G w Gᵀ: [place][group][channel of x][channel of y], so that a channel of x has its numbers
/// for all channels of y side by side.
/// </summary>
/// <param name="inputs">Channels of x in a group.</param>
/// <param name="outputs">Channels of y in a group.</param>
/// <param name="groups">Groups of channels.</param>
readonly struct WinogradWeights(int inputs, int outputs, int groups)
{
    /// <summary>Channels that are transformed together: a cache line.</summary>
    public const int Together = 16;

    /// <summary>Channels of x, and of y, in a group.</summary>
    public int Inputs => inputs;

    public int Outputs => outputs;

    public int Groups => groups;

    /// <summary>Numbers from one channel of x to the next: an odd number of cache lines, which fall into different sets of the cache.</summary>
    public int Pitch => ((outputs + Together - 1) / Together | 1) * Together;

    /// <summary>Numbers from one place to the next: an odd number of cache lines too.</summary>
    public nint Place => ((nint)groups * inputs * Pitch / Together | 1) * Together;

    /// <summary>Numbers in all.</summary>
    public int Length => checked((int)(WinogradTransforms.Places * Place));

    /// <summary>
    /// Transforms weights: tap t of channel k of x for channel c of y, of group g, is w[g·groupStep + c·outputStep + k·inputStep + t], or if they are
    /// turned round, as the gradient of x has them, at 8 − t.
    /// </summary>
    public unsafe void Transform<T>(T* w, nint groupStep, nint outputStep, nint inputStep, bool turned, LaneTensor<T> y, T* to)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Simd.Run(y, groups * inputs, 9 * outputs, new Channel<T>(this, w, groupStep, outputStep, inputStep, turned, to), Together);

    /// <summary>What is the sum of a gradient in that form, of one group, becomes dw, [channel of y][channel of x][3×3], overwritten.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public unsafe void TransformBack<T, V>(T* sums, T* dw) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        T* memory = stackalloc T[10 * Together], taps = Scratch<T>.Align(memory);
        for (int input = 0; input < inputs; input++)
            for (int first = 0; first < outputs; first += Together)
            {
                for (int lane = 0; lane < Together; lane += V.Count)
                    WinogradTransforms.WeightGradient<T, V>(sums + (nint)input * Pitch + first + lane, Place, taps + lane, Together);
                Transpose.ToRows(
                    taps, Together, dw + ((nint)first * inputs + input) * 9, inputs * 9, Math.Min(Together, outputs - first), 9);
            }
    }

    /// <summary>A channel of x, for all of y's.</summary>
    readonly unsafe struct Channel<T>(WinogradWeights weights, T* w, nint groupStep, nint outputStep, nint inputStep, bool turned, T* to) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int group, int input) = Math.DivRem(part, weights.Inputs);
            T* from = w + group * groupStep + input * inputStep, target = to + (nint)part * weights.Pitch;
            T* memory = stackalloc T[10 * Together], taps = Scratch<T>.Align(memory);
            new Span<T>(taps, 9 * Together).Clear();
            for (int first = 0; first < weights.Outputs; first += Together)
            {
                Transpose.ToPixels(from + first * outputStep, outputStep, taps, Together, Math.Min(Together, weights.Outputs - first), 9);
                for (int lane = 0; lane < Together; lane += V.Count)
                    WinogradTransforms.Weights<T, V>(
                        turned ? taps + lane + 8 * Together : taps + lane, turned ? -Together : Together, target + first + lane, weights.Place);
            }
        }
    }
}

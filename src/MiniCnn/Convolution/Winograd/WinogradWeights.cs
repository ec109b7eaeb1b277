using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The layout of the transformed weights G w Gᵀ of a 3×3 convolution: [place][group][channel of x][channel of y]. For each channel of x, the numbers for
/// all channels of y are contiguous.
/// </summary>
/// <param name="inputs">Number of channels of x in a group.</param>
/// <param name="outputs">Number of channels of y in a group.</param>
/// <param name="groups">Number of groups of channels.</param>
readonly struct WinogradWeights(int inputs, int outputs, int groups)
{
    /// <summary>Number of channels that are transformed together: 16 floats are one cache line.</summary>
    public const int Together = 16;

    /// <summary>Number of channels of x in a group.</summary>
    public int Inputs => inputs;

    /// <summary>Number of channels of y in a group.</summary>
    public int Outputs => outputs;

    public int Groups => groups;

    /// <summary>Elements from one channel of x to the next: an odd number of cache lines, so that the channels use different sets of the cache.</summary>
    public int Pitch => ((outputs + Together - 1) / Together | 1) * Together;

    /// <summary>Elements from one place to the next: also an odd number of cache lines.</summary>
    public nint Place => ((nint)groups * inputs * Pitch / Together | 1) * Together;

    /// <summary>Total number of elements.</summary>
    public int Length => checked((int)(WinogradTransforms.Places * Place));

    /// <summary>
    /// Transforms weights. Tap t of channel k of x for channel c of y in group g is w[g·groupStep + c·outputStep + k·inputStep + t]. If flip is set, the
    /// kernel is flipped on both axes, + 8 − t instead of + t, as the gradient of x requires.
    /// </summary>
    public unsafe void Transform<T>(T* w, nint groupStep, nint outputStep, nint inputStep, bool flip, LaneTensor<T> y, T* to)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Simd.Run(y, groups * inputs, 9 * outputs, new Channel<T>(this, w, groupStep, outputStep, inputStep, flip, to), Together);

    /// <summary>Transforms the sums of the weight gradient of one group, in this layout, to dw, [channel of y][channel of x][3×3]. Overwrites dw.</summary>
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

    /// <summary>Transforms the weights of one channel of x for all channels of y.</summary>
    readonly unsafe struct Channel<T>(WinogradWeights weights, T* w, nint groupStep, nint outputStep, nint inputStep, bool flip, T* to) : ILaneWork<T>
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
                        flip ? taps + lane + 8 * Together : taps + lane, flip ? -Together : Together, target + first + lane, weights.Place);
            }
        }
    }
}

using System.Buffers;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>Keeps one bad batch from throwing a model far away: gradients that are too long are shortened, between Backward and Step.</summary>
public static class GradientClipping
{
    /// <summary>Scales the gradients of all trainable parameters, taken as one vector, down to a length of at most maxNorm.</summary>
    /// <returns>The length before.</returns>
    /// <remarks>
    /// <code>
    /// norm = √Σ gradient²
    /// gradient = gradient · min(1, maxNorm / (norm + 10⁻⁶))
    /// </code>
    /// The same to the bit for any number of threads. An infinite maxNorm only measures. As in PyTorch, a norm that is infinite or not a number
    /// makes the gradients zeros or not numbers: who expects that looks at the norm before the step.
    /// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html.
    /// </remarks>
    /// <exception cref="ArgumentException">A maxNorm that is negative or not a number.</exception>
    public static unsafe float ClipNorm(IReadOnlyList<Parameter> parameters, float maxNorm)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        if (!(maxNorm >= 0))
            throw new ArgumentException(FormattableString.Invariant($"a largest norm must be at least 0, not {maxNorm}"));
        double sum = 0;
        for (int i = 0; i < parameters.Count; i++)                             // a foreach would allocate
        {
            if (parameters[i].Trainable)
                sum += SumOfSquares(parameters[i].GradientAs<float>());
        }
        float norm = (float)Math.Sqrt(sum), scale = maxNorm / (norm + 1e-6f);
        if (scale >= 1)
            return norm;
        for (int i = 0; i < parameters.Count; i++)
        {
            Span<float> gradient = parameters[i].GradientAs<float>();
            fixed (float* g = gradient)
            {
                if (parameters[i].Trainable)
                    Elements.Run(gradient.Length, new Scale(g, scale));
            }
        }
        return norm;
    }

    /// <summary>Sums a piece each in float, in one order, and those in double.</summary>
    static unsafe double SumOfSquares(Span<float> gradient)
    {
        int pieces = Elements.Pieces(gradient.Length);
        float[] sums = ArrayPool<float>.Shared.Rent(pieces);
        fixed (float* g = gradient, s = sums)
            Simd.Run(pieces, new Squares(g, gradient.Length, s));
        double sum = 0;
        for (int piece = 0; piece < pieces; piece++)
            sum += sums[piece];
        ArrayPool<float>.Shared.Return(sums);
        return sum;
    }

    readonly unsafe struct Scale(float* g, float scale) : IElementWork
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V>(int i) where V : struct, ILanes<V, float> => (V.Load(g + i) * V.Broadcast(scale)).Store(g + i);
    }

    readonly unsafe struct Squares(float* g, int length, float* sums) : ILaneWork<float>
    {
        // 64 sums whatever V is: so the result does not depend on the machine's vectors.
        const int Sums = 64;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int piece) where V : struct, ILanes<V, float>
        {
            float* sum = stackalloc float[Sums];
            int i = piece * Elements.Piece, end = Math.Min(length, i + Elements.Piece);
            for (; i <= end - Sums; i += Sums)
            {
                for (int k = 0; k < Sums; k += V.Count)
                {
                    V x = V.Load(g + i + k);
                    (V.Load(sum + k) + x * x).Store(sum + k);
                }
            }
            for (int k = 0; i + k < end; k++)
                sum[k] += g[i + k] * g[i + k];
            sums[piece] = LaneSum.Of<float, V>(sum, Sums, Sums);
        }
    }
}

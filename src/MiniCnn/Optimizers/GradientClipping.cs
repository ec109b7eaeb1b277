using System.Buffers;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>Limits the norm of the gradients, so that a single batch cannot cause a very large step. Call it between Backward and Step.</summary>
public static class GradientClipping
{
    /// <summary>
    /// Scales the gradients of all trainable parameters by a common factor, so that their total norm is at most maxNorm. The norm is that of one vector
    /// with all gradient elements.
    /// </summary>
    /// <param name="parameters">Parameters of the model; frozen ones are ignored.</param>
    /// <param name="maxNorm">Maximum norm, at least 0. With positive infinity, the norm is only computed.</param>
    /// <returns>The norm before scaling.</returns>
    /// <remarks>
    /// <code>
    /// norm = √Σ gradient²
    /// gradient = gradient · min(1, maxNorm / (norm + 10⁻⁶))
    /// </code>
    /// The result is bit-identical for any number of threads. As in PyTorch, an infinite norm or NaN sets the gradients to 0 or NaN; check the returned
    /// norm before the step if that can happen.
    /// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html.
    /// </remarks>
    /// <exception cref="ArgumentException">maxNorm is negative or NaN.</exception>
    public static unsafe float ClipNorm(IReadOnlyList<Parameter> parameters, float maxNorm)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        if (!(maxNorm >= 0))
            throw new ArgumentException(FormattableString.Invariant($"maxNorm must be at least 0, not {maxNorm}"));
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

    /// <summary>Sums each piece in float, in a fixed order, and adds these sums in double.</summary>
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
        // Always 64 partial sums, so that the result does not depend on the vector width.
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

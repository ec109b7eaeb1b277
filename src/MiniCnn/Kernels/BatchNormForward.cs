using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>A batch norm and a curve after it, channel by channel: if there are numbers to measure, first mean and variance, and the running ones.</summary>
readonly unsafe struct BatchNormForward<T, F>(
    LaneTensor<T> x, LaneTensor<T> y, T* weight, T* bias, T* mean, T* inverse, double epsilon, long numbers, float* runningMean, float* runningVar,
    double momentum) : ILaneWork<T>
    where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<V>(int c) where V : struct, ILanes<V, T>
    {
        if (numbers > 0 && x.Lanes == 1)
            Measure<Scalar<T>>(c);                                             // along a row the order of a sum would hang on the vectors
        else if (numbers > 0)
            Measure<V>(c);
        Affine<V> vectors = Of<V>(c);
        Affine<Scalar<T>> rest = Of<Scalar<T>>(c);
        for (int block = 0; block < x.Blocks; block++)
            for (int row = 0; row < x.Shape.Height; row++)
            {
                T* px = x.At(block, c, row), py = y.At(block, c, row);
                int i = 0;
                for (; i <= x.RowLength - V.Count; i += V.Count)
                    vectors.At(px + i).Store(py + i);
                for (; i < x.RowLength; i++)
                    rest.At(px + i).Store(py + i);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    Affine<V> Of<V>(int c) where V : struct, ILanes<V, T> => new(V.Broadcast(mean[c]), V.Broadcast(weight[c] * inverse[c]), V.Broadcast(bias[c]));

    readonly struct Affine<V>(V mean, V scale, V shift) where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V At(T* x) => default(F).At(V.MultiplyAdd(V.Load(x) - mean, scale, shift));
    }

    void Measure<V>(int c) where V : struct, ILanes<V, T>
    {
        double first = ChannelSum.Of<T, V, ValueTerm<V, T>>(x, x, c, default) / numbers;
        mean[c] = T.CreateTruncating(first);
        double squares = ChannelSum.Of<T, V, SquareTerm<V, T>>(x, x, c, new(V.Broadcast(mean[c])));
        inverse[c] = T.CreateTruncating(1 / Math.Sqrt(squares / numbers + epsilon));
        runningMean[c] = (float)((1 - momentum) * runningMean[c] + momentum * first);
        runningVar[c] = (float)((1 - momentum) * runningVar[c] + momentum * (squares / (numbers - 1)));
    }
}

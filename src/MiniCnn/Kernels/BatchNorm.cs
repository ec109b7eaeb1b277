using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// A batch norm followed by an elementwise function, one channel per part. If numbers, the count of numbers in a channel, is positive, it first
/// measures mean and variance and updates the running statistics.
/// </summary>
readonly unsafe struct BatchNormForward<T, F>(
    LaneTensor<T> x, LaneTensor<T> y, T* weight, T* bias, T* mean, T* inverse, double epsilon, long numbers, float* runningMean, float* runningVar,
    double momentum) : ILaneWork<T>
    where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<V>(int c) where V : struct, ILanes<V, T>
    {
        if (numbers > 0 && x.Lanes == 1)
            Measure<Scalar<T>>(c);                                             // along a row, the order of a sum would depend on the vector length
        else if (numbers > 0)
            Measure<V>(c);
        Affine<V> vectors = Of<V>(c);
        Affine<Scalar<T>> rest = Of<Scalar<T>>(c);
        int length = x.RowLength;
        for (int block = 0; block < x.Blocks; block++)
        {
            T* px = x.At(block, c, 0), py = y.At(block, c, 0);
            for (int row = 0; row < x.Shape.Height; row++, px += x.RowPitch, py += y.RowPitch)
            {
                int i = 0;
                for (; i <= length - V.Count; i += V.Count)
                    vectors.At(px + i).Store(py + i);
                for (; i < length; i++)
                    rest.At(px + i).Store(py + i);
            }
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

/// <summary>
/// The gradient of a batch norm followed by an elementwise function, one channel per part. Adds to dweight and dbias and overwrites dx; each may be null.
/// measured: whether mean and variance were measured from x and depend on it; otherwise they are constants.
/// </summary>
/// <remarks>The input of the elementwise function is computed again from x. This is bit-identical, and cheaper than storing it.</remarks>
readonly unsafe struct BatchNormBackward<T, F>(
    LaneTensor<T> x, LaneTensor<T> dy, LaneTensor<T>? dx, T* weight, T* bias, T* dweight, T* dbias, T* mean, T* inverse,
    bool measured) : ILaneWork<T>
    where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<V>(int c) where V : struct, ILanes<V, T>
    {
        (double sum, double product) = !measured && dweight is null && dbias is null ? default : x.Lanes == 1 ? Sums<Scalar<T>>(c) : Sums<V>(c);
        if (dbias is not null)
            dbias[c] += T.CreateTruncating(sum);
        if (dweight is not null)
            dweight[c] += T.CreateTruncating(product);
        if (dx is null)
            return;
        long numbers = (long)x.Count * x.Shape.Height * x.Shape.Width;
        T share = T.CreateTruncating(sum / numbers), slope = -inverse[c] * T.CreateTruncating(product / numbers);
        Gradient<V> vectors = Of<V>(c);
        Gradient<Scalar<T>> rest = Of<Scalar<T>>(c);
        for (int block = 0; block < x.Blocks; block++)
            for (int row = 0; row < x.Shape.Height; row++)
            {
                T* px = x.At(block, c, row), pdy = dy.At(block, c, row), pdx = dx.At(block, c, row);
                int i = 0;
                for (; i <= x.RowLength - V.Count; i += V.Count)
                    (measured ? vectors.ToInput(px + i, pdy + i, V.Broadcast(share), V.Broadcast(slope)) : vectors.ToInput(px + i, pdy + i)).Store(pdx + i);
                for (; i < x.RowLength; i++)
                    (measured ? rest.ToInput(px + i, pdy + i, new(share), new(slope)) : rest.ToInput(px + i, pdy + i)).Store(pdx + i);
            }
    }

    /// <summary>Gradient of the loss with respect to the output of the norm, before the elementwise function.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    Gradient<V> Of<V>(int c) where V : struct, ILanes<V, T> => new(V.Broadcast(mean[c]), V.Broadcast(weight[c] * inverse[c]), V.Broadcast(bias[c]));

    /// <summary>The sum of that gradient, and the sum of its products with x̂.</summary>
    (double Sum, double Product) Sums<V>(int c) where V : struct, ILanes<V, T>
    {
        Gradient<V> gradient = Of<V>(c);
        return (ChannelSum.Of<T, V, Gradient<V>>(x, dy, c, gradient),
            ChannelSum.Of<T, V, Product<V>>(x, dy, c, new(V.Broadcast(mean[c]), gradient)) * double.CreateTruncating(inverse[c]));
    }

    readonly struct Gradient<V>(V mean, V scale, V shift) : ITerm<V, T> where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Of(T* x, T* dy)
        {
            V y = V.MultiplyAdd(V.Load(x) - mean, scale, shift);
            return default(F).Gradient(y, default(F).At(y), V.Load(dy));
        }

        /// <summary>dx if mean and variance are constants.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V ToInput(T* x, T* dy) => Of(x, dy) * scale;

        /// <summary>dx if mean and variance were measured from x.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V ToInput(T* x, T* dy, V share, V slope) => V.MultiplyAdd(V.Load(x) - mean, slope, Of(x, dy) - share) * scale;
    }

    readonly struct Product<V>(V mean, Gradient<V> gradient) : ITerm<V, T> where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Of(T* x, T* dy) => (V.Load(x) - mean) * gradient.Of(x, dy);
    }
}

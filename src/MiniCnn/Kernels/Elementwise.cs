using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>An elementwise function, y = f(x), and its gradient.</summary>
interface ICurve<T> where T : unmanaged
{
    V At<V>(V x) where V : struct, ILanes<V, T>;

    /// <summary>Returns dx = dy · f′(x), computed from x or from y, whichever is simpler.</summary>
    V Gradient<V>(V x, V y, V dy) where V : struct, ILanes<V, T>;
}

/// <summary>y = x.</summary>
readonly struct NoCurve<T> : ICurve<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V At<V>(V x) where V : struct, ILanes<V, T> => x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Gradient<V>(V x, V y, V dy) where V : struct, ILanes<V, T> => dy;
}

/// <summary>y = f(x) and dx = dy · f′(x), element by element, for all activations; and the sum of two tensors.</summary>
static unsafe class Elementwise
{
    public static void Forward<T, F>(LaneTensor<T> x, LaneTensor<T> y, F curve)
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
    {
        Lines<T> lines = new(x, y);
        Simd.Run(y, y.Blocks * lines.Count, lines.Size, new ForwardLine<T, F>(x, y, curve, lines), LaneTensor<T>.FullLanes);
    }

    public static void Backward<T, F>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, F curve)
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
    {
        if (dx is null)
            return;
        Lines<T> lines = new(x, y, dy, dx);
        Simd.Run(dx, dx.Blocks * lines.Count, lines.Size, new BackwardLine<T, F>(x, y, dy, dx, curve, lines), LaneTensor<T>.FullLanes);
        dx.ClearDeadLanes();                                                   // 0 · NaN would be NaN
    }

    /// <summary>Computes y = f(a + b); y may be a or b.</summary>
    public static void Add<T, F>(LaneTensor<T> a, LaneTensor<T> b, LaneTensor<T> y, F curve)
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
    {
        Lines<T> lines = new(a, b, y);
        Simd.Run(y, y.Blocks * lines.Count, lines.Size, new AddLine<T, F>(a, b, y, curve, lines), LaneTensor<T>.FullLanes);
    }

    readonly struct ForwardLine<T, F>(LaneTensor<T> x, LaneTensor<T> y, F curve, Lines<T> lines) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int first, int rows, int numbers) = lines.Of(part);
            T* px = x.Pixel(block, first), py = y.Pixel(block, first);
            for (; rows > 0; rows--, px += x.RowPitch, py += y.RowPitch)
            {
                int i = 0;
                for (; i <= numbers - V.Count; i += V.Count)
                    curve.At(V.Load(px + i)).Store(py + i);
                if (i < numbers)                                               // in a vector too: the bits do not depend on the position
                    Rest.Store(curve.At(Rest.Load<T, V>(px + i, numbers - i)), py + i, numbers - i);
            }
        }
    }

    readonly struct BackwardLine<T, F>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T> dx, F curve, Lines<T> lines) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int first, int rows, int numbers) = lines.Of(part);
            T* px = x.Pixel(block, first), py = y.Pixel(block, first), pdy = dy.Pixel(block, first), pdx = dx.Pixel(block, first);
            for (; rows > 0; rows--, px += x.RowPitch, py += y.RowPitch, pdy += dy.RowPitch, pdx += dx.RowPitch)
            {
                int i = 0;
                for (; i <= numbers - V.Count; i += V.Count)
                    curve.Gradient(V.Load(px + i), V.Load(py + i), V.Load(pdy + i)).Store(pdx + i);
                int rest = numbers - i;
                if (rest > 0)
                    Rest.Store(curve.Gradient(Rest.Load<T, V>(px + i, rest), Rest.Load<T, V>(py + i, rest), Rest.Load<T, V>(pdy + i, rest)), pdx + i, rest);
            }
        }
    }

    readonly struct AddLine<T, F>(LaneTensor<T> a, LaneTensor<T> b, LaneTensor<T> y, F curve, Lines<T> lines) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int first, int rows, int numbers) = lines.Of(part);
            T* pa = a.Pixel(block, first), pb = b.Pixel(block, first), py = y.Pixel(block, first);
            for (; rows > 0; rows--, pa += a.RowPitch, pb += b.RowPitch, py += y.RowPitch)
            {
                int i = 0;
                for (; i <= numbers - V.Count; i += V.Count)
                    curve.At(V.Load(pa + i) + V.Load(pb + i)).Store(py + i);
                int rest = numbers - i;
                if (rest > 0)
                    Rest.Store(curve.At(Rest.Load<T, V>(pa + i, rest) + Rest.Load<T, V>(pb + i, rest)), py + i, rest);
            }
        }
    }
}

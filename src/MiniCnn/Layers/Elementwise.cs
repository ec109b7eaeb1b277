using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>A function of one number, y = f(x), and its gradient.</summary>
interface ICurve<T> where T : unmanaged
{
    V At<V>(V x) where V : struct, ILanes<V, T>;

    /// <summary>dx = dy · f′(x), from x or from y, whichever is shorter.</summary>
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

/// <summary>y = f(x) and dx = dy · f′(x), element by element: what the activations have in common; and a sum of two.</summary>
static unsafe class Elementwise
{
    public static void Forward<T, F>(LaneTensor<T> x, LaneTensor<T> y, F curve)
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T> =>
        Simd.RunPlanes(y, new ForwardPlane<T, F>(x, y, curve));

    public static void Backward<T, F>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, F curve)
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
    {
        if (dx is not null)
            Simd.RunPlanes(dx, new BackwardPlane<T, F>(x, y, dy, dx, curve));
    }

    /// <summary>y = a + b; y may be one of the two.</summary>
    public static void Add<T>(LaneTensor<T> a, LaneTensor<T> b, LaneTensor<T> y) where T : unmanaged, INumberBase<T> =>
        Workers.RunPlanes(y, new AddPlane<T>(a, b, y));

    readonly struct ForwardPlane<T, F>(LaneTensor<T> x, LaneTensor<T> y, F curve) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            for (int row = 0; row < y.Shape.Height; row++)
            {
                T* px = x.At(plane, row), py = y.At(plane, row);
                for (int i = 0; i < y.RowLength; i += V.Count)
                    curve.At(V.Load(px + i)).Store(py + i);
            }
        }
    }

    readonly struct BackwardPlane<T, F>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T> dx, F curve) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            for (int row = 0; row < dx.Shape.Height; row++)
            {
                T* px = x.At(plane, row), py = y.At(plane, row), pdy = dy.At(plane, row), pdx = dx.At(plane, row);
                for (int i = 0; i < dx.RowLength; i += V.Count)
                    curve.Gradient(V.Load(px + i), V.Load(py + i), V.Load(pdy + i)).Store(pdx + i);
            }
        }
    }

    readonly struct AddPlane<T>(LaneTensor<T> a, LaneTensor<T> b, LaneTensor<T> y) : IWork where T : unmanaged, INumberBase<T>
    {
        public void Run(int plane)
        {
            for (int row = 0; row < y.Shape.Height; row++)
            {
                ReadOnlySpan<T> first = new(a.At(plane, row), y.RowLength), second = new(b.At(plane, row), y.RowLength);
                TensorPrimitives.Add(first, second, new Span<T>(y.At(plane, row), y.RowLength));
            }
        }
    }
}

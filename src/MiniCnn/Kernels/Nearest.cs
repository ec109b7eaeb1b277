using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// Nearest-neighbor <see cref="Upsample"/>: each pixel is repeated. Its gradient is the sum under a window, an <see cref="AvgPool{T}"/> with
/// <see cref="Divisor.One"/>.
/// </summary>
static unsafe class Nearest
{
    /// <summary>Overwrites y. With one lane, vectors hold pixels of a row if the width is doubled, otherwise pixels are copied one by one.</summary>
    public static void Forward<T>(Size2d factor, LaneTensor<T> x, LaneTensor<T> y) where T : unmanaged, IFloatingPointIeee754<T> =>
        Simd.RunPlanes(y, new ForwardPlane<T>(factor, x, y), factor.Width == 2 ? x.Shape.Width : 1);

    readonly struct ForwardPlane<T>(Size2d factor, LaneTensor<T> x, LaneTensor<T> y) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            for (int iy = 0; iy < x.Shape.Height; iy++)
            {
                T* from = x.At(plane, iy), to = y.At(plane, iy * factor.Height), end = to + factor.Height * y.RowPitch;
                if (x.Lanes < V.Count)
                {
                    for (int column = 0; column < x.Shape.Width; column += V.Count)
                    {
                        int at = Math.Min(column, x.Shape.Width - V.Count);    // the last vector overlaps the one before it
                        (V left, V right) = V.Zip(V.Load(from + at), V.Load(from + at));
                        for (T* row = to + 2 * at; row < end; row += y.RowPitch)
                        {
                            left.Store(row);
                            right.Store(row + V.Count);
                        }
                    }
                    continue;
                }
                for (; to < end; to += y.RowPitch)
                    for (int ix = 0, at = 0; ix < x.RowLength; ix += x.Lanes)
                        for (int kx = 0; kx < factor.Width; kx++, at += x.Lanes)
                            for (int lane = 0; lane < x.Lanes; lane += V.Count)
                                V.Load(from + ix + lane).Store(to + at + lane);
            }
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>A pool with windows computed from the sizes of x and y, see <see cref="AdaptivePool2d"/>.</summary>
static unsafe class AdaptiveWindow
{
    /// <summary>
    /// Overwrites y and argMax. With one lane, a vector holds one number of each of several planes, so that the order of every sum stays the same.
    /// </summary>
    public static void Forward<T, W>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T>? argMax, W work)
        where T : unmanaged, IFloatingPointIeee754<T> where W : struct, IWindowWork<T>
    {
        int planes = x.Lanes == 1 ? Simd.Vector(x, y.Planes) : 1;
        Simd.Run(x, (y.Planes + planes - 1) / planes, planes * x.PlanePitch, new Planes<T, W>(x, y, argMax, gradient: false, work), y.Planes);
    }

    /// <summary>Overwrites dx.</summary>
    public static void Backward<T, W>(LaneTensor<T> dy, LaneTensor<T>? argMax, LaneTensor<T> dx, W work)
        where T : unmanaged, IFloatingPointIeee754<T> where W : struct, IWindowWork<T> =>
        Simd.RunPlanes(dx, new Planes<T, W>(dx, dy, argMax, gradient: true, work));

    /// <summary>Returns the pixels of an output on one axis, First = ⌊output·inputs / outputs⌋ to End − 1, End = ⌈(output + 1)·inputs / outputs⌉.</summary>
    static (int First, int End) Pixels(int output, int outputs, int inputs) =>
        ((int)((long)output * inputs / outputs), (int)(((long)(output + 1) * inputs + outputs - 1) / outputs));

    readonly struct Planes<T, W>(LaneTensor<T> image, LaneTensor<T> outputs, LaneTensor<T>? argMax, bool gradient, W work) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T> where W : struct, IWindowWork<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            int lanes = image.Lanes, planes = lanes < V.Count ? V.Count : 1, first = part * planes, end = Math.Min(first + planes, image.Planes);
            T* results = stackalloc T[2 * V.Count];
            if (gradient)
                image.ClearPlane(part);                                        // windows overlap if outputs do not divide inputs
            for (int oy = 0; oy < outputs.Shape.Height; oy++)
                for (int ox = 0; ox < outputs.Shape.Width; ox++)
                {
                    (int firstY, int endY) = Pixels(oy, outputs.Shape.Height, image.Shape.Height);
                    (int firstX, int endX) = Pixels(ox, outputs.Shape.Width, image.Shape.Width);
                    (int height, int width) = (endY - firstY, endX - firstX);
                    Taps taps = new(height, width, height * width, image.RowPitch, lanes);
                    bool across = planes > 1 && end - first == planes;
                    if (across)
                        work.Run<V>(taps, image.At(first, firstY) + firstX, image.PlanePitch, results, results + V.Count);
                    for (int plane = first; plane < end; plane++)
                    {
                        T* from = image.At(plane, firstY) + firstX * lanes, output = outputs.At(plane, oy) + ox * lanes;
                        T* which = argMax is null ? null : argMax.At(plane, oy) + ox * lanes;
                        if (across)
                        {
                            *output = results[plane - first];
                            if (which != null)
                                *which = results[V.Count + plane - first];
                        }
                        else if (planes > 1)
                            work.Run<Scalar<T>>(taps, from, 1, output, which);
                        else
                        {
                            for (int lane = 0; lane < lanes; lane += V.Count)
                                work.Run<V>(taps, from + lane, 1, output + lane, which + lane);
                        }
                    }
                }
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The mean of the numbers under each window of an <see cref="AdaptiveAvgPool2d"/>.</summary>
static unsafe class AdaptiveAvgPool
{
    /// <summary>With one lane a vector takes a number of each of some planes, so that the order of a sum is the same.</summary>
    public static void Forward<T>(LaneTensor<T> x, LaneTensor<T> y) where T : unmanaged, IFloatingPointIeee754<T>
    {
        int planes = x.Lanes == 1 ? Simd.Vector(x, y.Planes) : 1;
        Simd.Run(x, (y.Planes + planes - 1) / planes, planes * x.PlanePitch, new ForwardPlanes<T>(x, y), y.Planes);
    }

    /// <summary>dx overwritten: each pixel gets its share.</summary>
    public static void Backward<T>(LaneTensor<T> dy, LaneTensor<T> dx) where T : unmanaged, IFloatingPointIeee754<T> =>
        Simd.RunPlanes(dx, new BackwardPlane<T>(dy, dx), dx.Shape.Width / dy.Shape.Width);

    /// <summary>The inputs of an output, from First to End − 1.</summary>
    static (int First, int End) Window(int output, int outputs, int inputs) =>
        ((int)((long)output * inputs / outputs), (int)(((long)(output + 1) * inputs + outputs - 1) / outputs));

    readonly struct ForwardPlanes<T>(LaneTensor<T> x, LaneTensor<T> y) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            int planes = x.Lanes < V.Count ? V.Count : 1, first = part * planes, end = Math.Min(first + planes, y.Planes);
            T* means = stackalloc T[V.Count];
            for (int oy = 0; oy < y.Shape.Height; oy++)
                for (int ox = 0; ox < y.Shape.Width; ox++)
                {
                    (int Y, int X) from, to;
                    (from.Y, to.Y) = Window(oy, y.Shape.Height, x.Shape.Height);
                    (from.X, to.X) = Window(ox, y.Shape.Width, x.Shape.Width);
                    if (planes == 1)
                    {
                        for (int lane = 0; lane < x.Lanes; lane += V.Count)
                            Mean<V>(part, from, to, lane, 1).Store(y.At(part, oy) + ox * y.Lanes + lane);
                        continue;
                    }
                    if (end - first == planes)
                        Mean<V>(first, from, to, 0, x.PlanePitch).Store(means);
                    else
                    {
                        for (int plane = first; plane < end; plane++)
                            Mean<Scalar<T>>(plane, from, to, 0, 1).Store(means + plane - first);
                    }
                    for (int plane = first; plane < end; plane++)
                        y.At(plane, oy)[ox] = means[plane - first];
                }
        }

        /// <summary>Over a window, in lanes that lie a step apart.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        V Mean<V>(int plane, (int Y, int X) first, (int Y, int X) end, int lane, nint step) where V : struct, ILanes<V, T>
        {
            V sum = V.Broadcast(T.Zero);
            for (int iy = first.Y; iy < end.Y; iy++)
            {
                T* row = x.At(plane, iy) + lane;
                for (int ix = first.X; ix < end.X; ix++)
                    sum += V.Load(row + ix * x.Lanes, step);
            }
            return sum / V.Broadcast(T.CreateTruncating((long)(end.Y - first.Y) * (end.X - first.X)));
        }
    }

    readonly struct BackwardPlane<T>(LaneTensor<T> dy, LaneTensor<T> dx) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            int step = Math.Max(dx.Lanes, V.Count);
            dx.ClearPlane(plane);                                              // windows overlap where sizes do not divide
            for (int oy = 0; oy < dy.Shape.Height; oy++)
                for (int ox = 0; ox < dy.Shape.Width; ox++)
                {
                    (int firstY, int endY) = Window(oy, dy.Shape.Height, dx.Shape.Height);
                    (int firstX, int endX) = Window(ox, dy.Shape.Width, dx.Shape.Width);
                    T count = T.CreateTruncating((long)(endY - firstY) * (endX - firstX));
                    int numbers = (endX - firstX) * dx.Lanes;
                    for (int lane = 0; lane < dx.Lanes; lane += V.Count)
                    {
                        T* from = dy.At(plane, oy) + ox * dy.Lanes + lane;
                        V share = (dx.Lanes < V.Count ? V.Broadcast(*from) : V.Load(from)) / V.Broadcast(count);
                        for (int iy = firstY; iy < endY; iy++)
                        {
                            T* to = dx.At(plane, iy) + firstX * dx.Lanes + lane;
                            int i = 0;
                            for (; i <= numbers - step; i += step)
                                (V.Load(to + i) + share).Store(to + i);
                            for (; i < numbers; i++)
                                to[i] += *from / count;
                        }
                    }
                }
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The bilinear form of <see cref="Upsample"/>: each output is a mean of four pixels, weighted by how near they are.</summary>
static unsafe class Bilinear
{
    public static void Forward<T>(Size2d factor, LaneTensor<T> x, LaneTensor<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> => Simd.RunPlanes(y, new ForwardPlane<T>(factor, x, y));

    /// <summary>dx overwritten: each output's gradient goes to its four pixels by the same weights.</summary>
    public static void Backward<T>(Size2d factor, LaneTensor<T> dy, LaneTensor<T> dx)
        where T : unmanaged, IFloatingPointIeee754<T> => Simd.Run(dx, dx.Planes, dy.PlanePitch, new BackwardPlane<T>(factor, dy, dx));

    /// <summary>The two inputs that an output lies between, and the second one's weight.</summary>
    static (int First, int Second, T Weight) Between<T>(int output, int factor, int inputs) where T : INumberBase<T>
    {
        // In steps of 1/(2·factor) of a pixel s is a whole number.
        (long first, long rest) = Math.DivRem(Math.Max(2L * output + 1 - factor, 0), 2L * factor);
        return ((int)first, (int)Math.Min(first + 1, inputs - 1), T.CreateTruncating(rest) / T.CreateTruncating(2L * factor));
    }

    readonly struct ForwardPlane<T>(Size2d factor, LaneTensor<T> x, LaneTensor<T> y) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            for (int oy = 0; oy < y.Shape.Height; oy++)
            {
                (int above, int below, T weight) = Between<T>(oy, factor.Height, x.Shape.Height);
                V lower = V.Broadcast(weight), upper = V.Broadcast(T.One - weight);
                T* up = x.At(plane, above), down = x.At(plane, below), to = y.At(plane, oy);
                for (int ox = 0; ox < y.Shape.Width; ox++, to += y.Lanes)
                {
                    (int left, int right, weight) = Between<T>(ox, factor.Width, x.Shape.Width);
                    V later = V.Broadcast(weight), earlier = V.Broadcast(T.One - weight);
                    for (int lane = 0; lane < x.Lanes; lane += V.Count)
                    {
                        int a = left * x.Lanes + lane, b = right * x.Lanes + lane;
                        V first = V.MultiplyAdd(later, V.Load(up + b), earlier * V.Load(up + a));
                        V second = V.MultiplyAdd(later, V.Load(down + b), earlier * V.Load(down + a));
                        V.MultiplyAdd(lower, second, upper * first).Store(to + lane);
                    }
                }
            }
        }
    }

    readonly struct BackwardPlane<T>(Size2d factor, LaneTensor<T> dy, LaneTensor<T> dx) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            dx.ClearPlane(plane);
            for (int oy = 0; oy < dy.Shape.Height; oy++)
            {
                (int above, int below, T weight) = Between<T>(oy, factor.Height, dx.Shape.Height);
                V lower = V.Broadcast(weight), upper = V.Broadcast(T.One - weight);
                T* up = dx.At(plane, above), down = dx.At(plane, below), from = dy.At(plane, oy);
                for (int ox = 0; ox < dy.Shape.Width; ox++, from += dy.Lanes)
                {
                    (int left, int right, weight) = Between<T>(ox, factor.Width, dx.Shape.Width);
                    V later = V.Broadcast(weight), earlier = V.Broadcast(T.One - weight);
                    for (int lane = 0; lane < dy.Lanes; lane += V.Count)
                    {
                        V gradient = V.Load(from + lane), first = upper * gradient, second = lower * gradient;
                        Add(up + left * dx.Lanes + lane, earlier * first);
                        Add(up + right * dx.Lanes + lane, later * first);
                        Add(down + left * dx.Lanes + lane, earlier * second);
                        Add(down + right * dx.Lanes + lane, later * second);
                    }
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Add<V>(T* to, V share) where V : struct, ILanes<V, T> => (V.Load(to) + share).Store(to);
    }
}

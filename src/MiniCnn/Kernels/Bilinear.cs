using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>Bilinear <see cref="Upsample"/>: each output is the mean of four pixels, weighted by their proximity.</summary>
static unsafe class Bilinear
{
    public static void Forward<T>(Size2d factor, LaneTensor<T> x, LaneTensor<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> => Simd.RunPlanes(y, new Plane<T>(factor, x, y, backward: false));

    /// <summary>Overwrites dx: the gradient of each output is added to its four pixels with the same weights.</summary>
    public static void Backward<T>(Size2d factor, LaneTensor<T> dy, LaneTensor<T> dx)
        where T : unmanaged, IFloatingPointIeee754<T> => Simd.Run(dx, dx.Planes, dy.PlanePitch, new Plane<T>(factor, dx, dy, backward: true));

    /// <summary>Returns the two neighboring inputs of an output on one axis, and the weight of the second input.</summary>
    static (int First, int Second, T Weight) Between<T>(int output, int factor, int inputs) where T : INumberBase<T>
    {
        // Source position (output + 1/2) / factor − 1/2 = (2·output + 1 − factor) / (2·factor), at least 0: an integer numerator.
        (long first, long rest) = Math.DivRem(Math.Max(2L * output + 1 - factor, 0), 2L * factor);
        return ((int)first, (int)Math.Min(first + 1, inputs - 1), T.CreateTruncating(rest) / T.CreateTruncating(2L * factor));
    }

    /// <summary>Computes large from small in the forward pass, small from large in the backward pass.</summary>
    readonly struct Plane<T>(Size2d factor, LaneTensor<T> small, LaneTensor<T> large, bool backward) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            if (backward)
                small.ClearPlane(plane);
            for (int oy = 0; oy < large.Shape.Height; oy++)
            {
                (int above, int below, T weight) = Between<T>(oy, factor.Height, small.Shape.Height);
                V lower = V.Broadcast(weight), upper = V.Broadcast(T.One - weight);
                T* up = small.At(plane, above), down = small.At(plane, below), at = large.At(plane, oy);
                for (int ox = 0; ox < large.Shape.Width; ox++, at += large.Lanes)
                {
                    (int left, int right, weight) = Between<T>(ox, factor.Width, small.Shape.Width);
                    V later = V.Broadcast(weight), earlier = V.Broadcast(T.One - weight);
                    for (int lane = 0; lane < small.Lanes; lane += V.Count)
                    {
                        int a = left * small.Lanes + lane, b = right * small.Lanes + lane;
                        if (backward)
                        {
                            V gradient = V.Load(at + lane), first = upper * gradient, second = lower * gradient;
                            Add(up + a, earlier * first);
                            Add(up + b, later * first);
                            Add(down + a, earlier * second);
                            Add(down + b, later * second);
                        }
                        else
                        {
                            V first = V.MultiplyAdd(later, V.Load(up + b), earlier * V.Load(up + a));
                            V second = V.MultiplyAdd(later, V.Load(down + b), earlier * V.Load(down + a));
                            V.MultiplyAdd(lower, second, upper * first).Store(at + lane);
                        }
                    }
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Add<V>(T* to, V share) where V : struct, ILanes<V, T> => (V.Load(to) + share).Store(to);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary><see cref="Softmax"/> and <see cref="LogSoftmax"/> over the channels, separately for each pixel.</summary>
static unsafe class ChannelSoftmax
{
    /// <summary>Overwrites y with the softmax, or with its logarithm if log is set.</summary>
    public static void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, bool log) where T : unmanaged, IFloatingPointIeee754<T> =>
        RunRows(x, new ForwardRow<T>(x, y, log));

    /// <summary>Overwrites dx; y is the output of the forward pass.</summary>
    public static void Backward<T>(LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T> dx, bool log) where T : unmanaged, IFloatingPointIeee754<T> =>
        RunRows(dx, new BackwardRow<T>(y, dy, dx, log));

    static void RunRows<T, W>(LaneTensor<T> x, in W work) where T : unmanaged, IFloatingPointIeee754<T> where W : struct, ILaneWork<T> =>
        Simd.Run(x, x.Blocks * x.Shape.Height, x.Shape.Channels * x.RowPitch, work, x.Shape.Width);

    readonly struct ForwardRow<T>(LaneTensor<T> x, LaneTensor<T> y, bool log) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int row) = Math.DivRem(part, x.Shape.Height);
            T* px = x.At(block, 0, row), py = y.At(block, 0, row);
            for (int number = 0; number < x.RowLength; number += V.Count)
            {
                int i = Math.Min(number, x.RowLength - V.Count);               // the last vector overlaps the one before it
                V others = ChannelExp.SumOfOthers(px + i, x.Shape.Channels, x.PlanePitch, log ? null : py + i, y.PlanePitch, out V largest);
                V all = log ? NearOne.LogP1<T, V>(others) : V.Broadcast(T.One) + others;
                for (int c = 0; c < x.Shape.Channels; c++)
                {
                    V result = log ? V.Load(px + c * x.PlanePitch + i) - largest - all : V.Load(py + c * y.PlanePitch + i) / all;
                    result.Store(py + c * y.PlanePitch + i);
                }
            }
        }
    }

    readonly struct BackwardRow<T>(LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T> dx, bool log) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int row) = Math.DivRem(part, y.Shape.Height);
            T* py = y.At(block, 0, row), pdy = dy.At(block, 0, row), pdx = dx.At(block, 0, row);
            V none = V.Broadcast(T.Zero);
            for (int number = 0; number < y.RowLength; number += V.Count)
            {
                int i = Math.Min(number, y.RowLength - V.Count);               // the last vector overlaps the one before it
                V sum = none;                                                  // log: Σ dy; otherwise Σ dy · y
                for (int c = 0; c < y.Shape.Channels; c++)
                {
                    V gradient = V.Load(pdy + c * dy.PlanePitch + i);
                    sum = log ? sum + gradient : V.MultiplyAdd(gradient, V.Load(py + c * y.PlanePitch + i), sum);
                }
                for (int c = 0; c < y.Shape.Channels; c++)
                {
                    V gradient = V.Load(pdy + c * dy.PlanePitch + i), share = V.Load(py + c * y.PlanePitch + i);
                    V result = log ? (none - NearOne.ExpM1<T, V>(share)) * gradient - V.Exp(share) * (sum - gradient) : share * (gradient - sum);
                    result.Store(pdx + c * dx.PlanePitch + i);
                }
            }
        }
    }
}

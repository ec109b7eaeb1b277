using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary><see cref="Softmax"/> and <see cref="LogSoftmax"/>: over the channels, for each pixel by itself.</summary>
static unsafe class ChannelSoftmax
{
    public static void Forward<T>(LaneTensor<T> x, LaneTensor<T> y) where T : unmanaged, IFloatingPointIeee754<T> => RunRows(x, new ForwardRow<T>(x, y));

    public static void LogForward<T>(LaneTensor<T> x, LaneTensor<T> y) where T : unmanaged, IFloatingPointIeee754<T> => RunRows(x, new LogForwardRow<T>(x, y));

    /// <summary>dx overwritten; y is the forward pass's.</summary>
    public static void Backward<T>(LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T> dx) where T : unmanaged, IFloatingPointIeee754<T> =>
        RunRows(dx, new BackwardRow<T>(y, dy, dx));

    /// <summary>dx overwritten; y is the forward pass's.</summary>
    public static void LogBackward<T>(LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T> dx) where T : unmanaged, IFloatingPointIeee754<T> =>
        RunRows(dx, new LogBackwardRow<T>(y, dy, dx));

    static void RunRows<T, W>(LaneTensor<T> x, in W work) where T : unmanaged, IFloatingPointIeee754<T> where W : struct, ILaneWork<T> =>
        Simd.Run(x, x.Blocks * x.Shape.Height, x.Shape.Channels * x.RowPitch, work, x.Shape.Width);

    readonly struct ForwardRow<T>(LaneTensor<T> x, LaneTensor<T> y) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int row) = Math.DivRem(part, x.Shape.Height);
            T* px = x.At(block, 0, row), py = y.At(block, 0, row);
            for (int number = 0; number < x.RowLength; number += V.Count)
            {
                int i = Math.Min(number, x.RowLength - V.Count);               // the last vector overlaps the one before it
                V largest = ChannelMax.Of<T, V>(px + i, x.Shape.Channels, x.PlanePitch), sum = V.Broadcast(T.Zero);
                for (int c = 0; c < x.Shape.Channels; c++)
                {
                    V power = V.Exp(V.Load(px + c * x.PlanePitch + i) - largest);
                    sum += power;
                    power.Store(py + c * y.PlanePitch + i);
                }
                for (int c = 0; c < x.Shape.Channels; c++)
                    (V.Load(py + c * y.PlanePitch + i) / sum).Store(py + c * y.PlanePitch + i);
            }
        }
    }

    readonly struct BackwardRow<T>(LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T> dx) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int row) = Math.DivRem(part, y.Shape.Height);
            T* py = y.At(block, 0, row), pdy = dy.At(block, 0, row), pdx = dx.At(block, 0, row);
            for (int number = 0; number < y.RowLength; number += V.Count)
            {
                int i = Math.Min(number, y.RowLength - V.Count);               // the last vector overlaps the one before it
                V mean = V.Broadcast(T.Zero);                                  // of dy, weighted by y
                for (int c = 0; c < y.Shape.Channels; c++)
                    mean = V.MultiplyAdd(V.Load(pdy + c * dy.PlanePitch + i), V.Load(py + c * y.PlanePitch + i), mean);
                for (int c = 0; c < y.Shape.Channels; c++)
                    (V.Load(py + c * y.PlanePitch + i) * (V.Load(pdy + c * dy.PlanePitch + i) - mean)).Store(pdx + c * dx.PlanePitch + i);
            }
        }
    }

    readonly struct LogForwardRow<T>(LaneTensor<T> x, LaneTensor<T> y) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int row) = Math.DivRem(part, x.Shape.Height);
            T* px = x.At(block, 0, row), py = y.At(block, 0, row);
            for (int number = 0; number < x.RowLength; number += V.Count)
            {
                int i = Math.Min(number, x.RowLength - V.Count);               // the last vector overlaps the one before it
                V largest = ChannelMax.Of<T, V>(px + i, x.Shape.Channels, x.PlanePitch), sum = V.Broadcast(T.Zero);
                for (int c = 0; c < x.Shape.Channels; c++)
                    sum += V.Exp(V.Load(px + c * x.PlanePitch + i) - largest);
                V log = V.Log(sum);
                for (int c = 0; c < x.Shape.Channels; c++)
                    (V.Load(px + c * x.PlanePitch + i) - largest - log).Store(py + c * y.PlanePitch + i);
            }
        }
    }

    readonly struct LogBackwardRow<T>(LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T> dx) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int row) = Math.DivRem(part, y.Shape.Height);
            T* py = y.At(block, 0, row), pdy = dy.At(block, 0, row), pdx = dx.At(block, 0, row);
            for (int number = 0; number < y.RowLength; number += V.Count)
            {
                int i = Math.Min(number, y.RowLength - V.Count);               // the last vector overlaps the one before it
                V sum = V.Broadcast(T.Zero), none = sum;
                for (int c = 0; c < y.Shape.Channels; c++)
                    sum += V.Load(pdy + c * dy.PlanePitch + i);
                for (int c = 0; c < y.Shape.Channels; c++)
                {
                    V probability = V.Exp(V.Load(py + c * y.PlanePitch + i));
                    V.MultiplyAdd(none - probability, sum, V.Load(pdy + c * dy.PlanePitch + i)).Store(pdx + c * dx.PlanePitch + i);
                }
            }
        }
    }
}

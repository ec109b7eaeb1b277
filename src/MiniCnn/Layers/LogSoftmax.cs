using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>y[c] = x[c] − log Σ exp(x[k]) over the channels, for each pixel by itself; dx[c] = dy[c] − exp(y[c]) · Σ dy[k].</summary>
/// <remarks>
/// PyTorch's LogSoftmax(dim=1). The largest x is taken off first, so that nothing overflows.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html.
/// </remarks>
public sealed class LogSoftmax : Layer
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) =>
        Simd.Run(x, x.Blocks * x.Shape.Height, x.Shape.Channels * x.RowPitch, new ForwardRow<T>(x, y));

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            Simd.Run(x, x.Blocks * x.Shape.Height, x.Shape.Channels * x.RowPitch, new BackwardRow<T>(y, dy, dx));
    }

    readonly unsafe struct ForwardRow<T>(LaneTensor<T> x, LaneTensor<T> y) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int row) = Math.DivRem(part, x.Shape.Height);
            T* px = x.At(block, 0, row), py = y.At(block, 0, row);
            for (int i = 0; i < x.RowLength; i += V.Count)
            {
                V largest = ChannelMax.Of<T, V>(px + i, x.Shape.Channels, x.PlanePitch), sum = V.Broadcast(T.Zero);
                for (int c = 0; c < x.Shape.Channels; c++)
                    sum += V.Exp(V.Load(px + c * x.PlanePitch + i) - largest);
                V log = V.Log(sum);
                for (int c = 0; c < x.Shape.Channels; c++)
                    (V.Load(px + c * x.PlanePitch + i) - largest - log).Store(py + c * y.PlanePitch + i);
            }
        }
    }

    readonly unsafe struct BackwardRow<T>(LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T> dx) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int row) = Math.DivRem(part, y.Shape.Height);
            T* py = y.At(block, 0, row), pdy = dy.At(block, 0, row), pdx = dx.At(block, 0, row);
            for (int i = 0; i < y.RowLength; i += V.Count)
            {
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

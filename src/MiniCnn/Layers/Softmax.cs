using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>y[c] = exp(x[c]) / Σ exp(x[k]) over the channels, for each pixel by itself; dx[c] = y[c] · (dy[c] − Σ dy[k] · y[k]).</summary>
/// <remarks>
/// PyTorch's Softmax(dim=1). The largest x is taken off first, so that nothing overflows. Not before <see cref="CrossEntropyLoss"/>, which has
/// one of its own. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html.
/// </remarks>
public sealed class Softmax : Layer
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
                V mean = V.Broadcast(T.Zero);                                  // of dy, weighted by y
                for (int c = 0; c < y.Shape.Channels; c++)
                    mean = V.MultiplyAdd(V.Load(pdy + c * dy.PlanePitch + i), V.Load(py + c * y.PlanePitch + i), mean);
                for (int c = 0; c < y.Shape.Channels; c++)
                    (V.Load(py + c * y.PlanePitch + i) * (V.Load(pdy + c * dy.PlanePitch + i) - mean)).Store(pdx + c * dx.PlanePitch + i);
            }
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>y[c,oy,ox] = the largest x[c,iy,ix] under the window; the gradient goes to that one pixel, of equal ones to the first.</summary>
/// <remarks>
/// Padding is −∞: it never wins. A NaN under the window makes y NaN, and the gradient is the last NaN's. The stride defaults to the kernel size.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html.
/// </remarks>
public sealed class MaxPool2d : Layer
{
    readonly Window2d window;

    /// <summary>An int stands for both axes.</summary>
    /// <exception cref="ArgumentException">Sizes below 1, or a padding of more than half the kernel.</exception>
    public MaxPool2d(Size2d kernelSize, Size2d? stride = null, Padding padding = default, Size2d? dilation = null)
    {
        window = new(kernelSize, stride ?? kernelSize, padding, dilation);
        window.RequirePoolPadding();
    }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => Slide(window, input, input.Channels);

    /// <summary>“MaxPool2d(2×2, stride 2)”.</summary>
    public override string ToString() => $"MaxPool2d({window})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments =>
    [
        ("kernelSize", window.KernelSize.ToJson()), ("stride", window.Stride.ToJson()), ("padding", window.Padding.ToJson()),
        ("dilation", window.Dilation.ToJson()),
    ];

    /// <summary>Whether the windows are 2×2 side by side, as most networks have them.</summary>
    internal bool Is2x2 => window.KernelSize == 2 && window.Stride == 2 && window.Dilation == 1 && window.Padding == default;

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        LaneTensor<T> argMax = context.State<LaneBuffer<T>>().Take(y, y.Shape);
        if (Is2x2)
            MaxOf2x2.Forward(x, y, argMax);
        else
            Simd.RunPlanes(y, new ForwardPlane<T>(window, x, y, argMax));
    }

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is null)
            return;
        if (Is2x2)
            MaxOf2x2.Backward(dy, context.State<LaneBuffer<T>>().Kept, null, dx);
        else
            Simd.RunPlanes(dx, new BackwardPlane<T>(window, dy, dx, context.State<LaneBuffer<T>>().Kept));
    }

    /// <summary>argMax keeps, as a number in each lane, which tap won.</summary>
    readonly unsafe struct ForwardPlane<T>(Window2d window, LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> argMax) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            WindowAxis rows = window.Rows(x.Shape.Height), columns = window.Columns(x.Shape.Width);
            nint down = rows.Dilation * x.RowPitch, right = columns.Dilation * x.Lanes;
            for (int oy = 0; oy < rows.Output; oy++)
                for (int ox = 0; ox < columns.Output; ox++)
                {
                    int firstY = rows.FirstTap(oy), endY = rows.EndTap(oy), firstX = columns.FirstTap(ox), endX = columns.EndTap(ox);
                    for (int lane = 0; lane < x.Lanes; lane += V.Count)
                    {
                        V best = V.Broadcast(T.NegativeInfinity), bestTap = V.Broadcast(T.CreateTruncating(firstY * columns.Kernel + firstX));
                        T* from = x.At(plane, rows.Place(oy, firstY)) + columns.Place(ox, firstX) * x.Lanes + lane;
                        for (int ky = firstY; ky < endY; ky++, from += down)
                            for (int kx = firstX; kx < endX; kx++)
                            {
                                V pixel = V.Load(from + (kx - firstX) * right), tap = V.Broadcast(T.CreateTruncating(ky * columns.Kernel + kx));
                                bestTap = V.Select(V.Greater(pixel, best), tap, V.Select(V.Equal(pixel, pixel), bestTap, tap));
                                best = V.Max(best, pixel);
                            }
                        best.Store(y.At(plane, oy) + ox * y.Lanes + lane);
                        bestTap.Store(argMax.At(plane, oy) + ox * argMax.Lanes + lane);
                    }
                }
        }
    }

    readonly unsafe struct BackwardPlane<T>(Window2d window, LaneTensor<T> dy, LaneTensor<T> dx, LaneTensor<T> argMax) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            WindowAxis rows = window.Rows(dx.Shape.Height), columns = window.Columns(dx.Shape.Width);
            V zero = V.Broadcast(T.Zero);
            nint down = rows.Dilation * dx.RowPitch, right = columns.Dilation * dx.Lanes;
            dx.ClearPlane(plane);
            for (int oy = 0; oy < rows.Output; oy++)
                for (int ox = 0; ox < columns.Output; ox++)
                {
                    int firstY = rows.FirstTap(oy), endY = rows.EndTap(oy), firstX = columns.FirstTap(ox), endX = columns.EndTap(ox);
                    for (int lane = 0; lane < dx.Lanes; lane += V.Count)
                    {
                        V gradient = V.Load(dy.At(plane, oy) + ox * dy.Lanes + lane);
                        V bestTap = V.Load(argMax.At(plane, oy) + ox * argMax.Lanes + lane);
                        T* row = dx.At(plane, rows.Place(oy, firstY)) + columns.Place(ox, firstX) * dx.Lanes + lane;
                        for (int ky = firstY; ky < endY; ky++, row += down)
                            for (int kx = firstX; kx < endX; kx++)
                            {
                                T* to = row + (kx - firstX) * right;
                                V won = V.Equal(bestTap, V.Broadcast(T.CreateTruncating(ky * columns.Kernel + kx)));
                                (V.Load(to) + V.Select(won, gradient, zero)).Store(to);
                            }
                    }
                }
        }
    }
}

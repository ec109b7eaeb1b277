using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>y[c,oy,ox] = the mean of x[c,iy,ix] under the window; each pixel gets its share of the gradient.</summary>
/// <remarks>
/// The padding's zeros count in the mean unless countIncludePad is false. The stride defaults to the kernel size.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html.
/// </remarks>
public sealed class AvgPool2d : Layer
{
    readonly Window2d window;
    readonly bool countIncludePad;

    /// <summary>An int stands for both axes.</summary>
    /// <exception cref="ArgumentException">Sizes below 1, or a padding of more than half the kernel.</exception>
    public AvgPool2d(Size2d kernelSize, Size2d? stride = null, Padding padding = default, bool countIncludePad = true)
    {
        (window, this.countIncludePad) = (new(kernelSize, stride ?? kernelSize, padding), countIncludePad);
        window.RequirePoolPadding();
    }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => Slide(window, input, input.Channels);

    /// <summary>“AvgPool2d(2×2, stride 2)”.</summary>
    public override string ToString() => $"AvgPool2d({window}{(countIncludePad ? "" : ", padding not counted")})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments =>
    [
        ("kernelSize", window.KernelSize.ToJson()), ("stride", window.Stride.ToJson()), ("padding", window.Padding.ToJson()),
        ("countIncludePad", countIncludePad),
    ];

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) =>
        Simd.RunPlanes(y, new ForwardPlane<T>(window, countIncludePad, x, y));

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            Simd.RunPlanes(dx, new BackwardPlane<T>(window, countIncludePad, dy, dx));
    }

    readonly unsafe struct ForwardPlane<T>(Window2d window, bool countIncludePad, LaneTensor<T> x, LaneTensor<T> y) : ILaneWork<T>
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
                    V count = V.Broadcast(T.CreateTruncating(countIncludePad ? window.Taps : (endY - firstY) * (endX - firstX)));
                    for (int lane = 0; lane < x.Lanes; lane += V.Count)
                    {
                        V sum = V.Broadcast(T.Zero);
                        T* from = x.At(plane, rows.Place(oy, firstY)) + columns.Place(ox, firstX) * x.Lanes + lane;
                        for (int ky = firstY; ky < endY; ky++, from += down)
                            for (int kx = 0; kx < endX - firstX; kx++)
                                sum += V.Load(from + kx * right);
                        (sum / count).Store(y.At(plane, oy) + ox * y.Lanes + lane);
                    }
                }
        }
    }

    readonly unsafe struct BackwardPlane<T>(Window2d window, bool countIncludePad, LaneTensor<T> dy, LaneTensor<T> dx) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            WindowAxis rows = window.Rows(dx.Shape.Height), columns = window.Columns(dx.Shape.Width);
            nint down = rows.Dilation * dx.RowPitch, right = columns.Dilation * dx.Lanes;
            dx.ClearPlane(plane);
            for (int oy = 0; oy < rows.Output; oy++)
                for (int ox = 0; ox < columns.Output; ox++)
                {
                    int firstY = rows.FirstTap(oy), endY = rows.EndTap(oy), firstX = columns.FirstTap(ox), endX = columns.EndTap(ox);
                    V count = V.Broadcast(T.CreateTruncating(countIncludePad ? window.Taps : (endY - firstY) * (endX - firstX)));
                    for (int lane = 0; lane < dx.Lanes; lane += V.Count)
                    {
                        V share = V.Load(dy.At(plane, oy) + ox * dy.Lanes + lane) / count;
                        T* to = dx.At(plane, rows.Place(oy, firstY)) + columns.Place(ox, firstX) * dx.Lanes + lane;
                        for (int ky = firstY; ky < endY; ky++, to += down)
                            for (int kx = 0; kx < endX - firstX; kx++)
                                (V.Load(to + kx * right) + share).Store(to + kx * right);
                    }
                }
        }
    }
}

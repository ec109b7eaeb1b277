using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// y[c,oy,ox] = the mean of x[c,iy,ix] over a window that follows from the sizes: of H rows, output row oy takes ⌊oy·H/outH⌋ to
/// ⌈(oy + 1)·H/outH⌉ − 1. With an output of 1 it is the mean of the whole plane: global average pooling.
/// </summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html.</remarks>
public sealed class AdaptiveAvgPool2d : Layer
{
    readonly Size2d outputSize;

    /// <summary>An int stands for both axes.</summary>
    /// <exception cref="ArgumentException">A size below 1.</exception>
    public AdaptiveAvgPool2d(Size2d outputSize)
    {
        if (outputSize.Height < 1 || outputSize.Width < 1)
            throw new ArgumentException($"an output of {outputSize} has no pixels; sizes must be at least 1");
        this.outputSize = outputSize;
    }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (input.IsFlat)
            Refuse($"takes images, not {input}");
        if ((long)input.Channels * outputSize.Height * outputSize.Width > Array.MaxLength)
            Refuse($"an output of {input.Channels}×{outputSize} has more numbers than an array holds");
        return new(input.Channels, outputSize.Height, outputSize.Width);
    }

    /// <summary>“AdaptiveAvgPool2d(1×1)”.</summary>
    public override string ToString() => $"AdaptiveAvgPool2d({outputSize})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("outputSize", outputSize.ToJson())];

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Simd.Run(x, y.Planes, x.PlanePitch, new ForwardPlane<T>(x, y));

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            Simd.RunPlanes(dx, new BackwardPlane<T>(dy, dx));
    }

    /// <summary>The inputs of an output, from First to End − 1.</summary>
    static (int First, int End) Window(int output, int outputs, int inputs) =>
        ((int)((long)output * inputs / outputs), (int)(((long)(output + 1) * inputs + outputs - 1) / outputs));

    readonly unsafe struct ForwardPlane<T>(LaneTensor<T> x, LaneTensor<T> y) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            for (int oy = 0; oy < y.Shape.Height; oy++)
                for (int ox = 0; ox < y.Shape.Width; ox++)
                {
                    (int firstY, int endY) = Window(oy, y.Shape.Height, x.Shape.Height);
                    (int firstX, int endX) = Window(ox, y.Shape.Width, x.Shape.Width);
                    V count = V.Broadcast(T.CreateTruncating((long)(endY - firstY) * (endX - firstX)));
                    for (int lane = 0; lane < x.Lanes; lane += V.Count)
                    {
                        V sum = V.Broadcast(T.Zero);
                        for (int iy = firstY; iy < endY; iy++)
                        {
                            T* row = x.At(plane, iy) + lane;
                            for (int ix = firstX; ix < endX; ix++)
                                sum += V.Load(row + ix * x.Lanes);
                        }
                        (sum / count).Store(y.At(plane, oy) + ox * y.Lanes + lane);
                    }
                }
        }
    }

    readonly unsafe struct BackwardPlane<T>(LaneTensor<T> dy, LaneTensor<T> dx) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            dx.ClearPlane(plane);                                              // windows overlap where sizes do not divide
            for (int oy = 0; oy < dy.Shape.Height; oy++)
                for (int ox = 0; ox < dy.Shape.Width; ox++)
                {
                    (int firstY, int endY) = Window(oy, dy.Shape.Height, dx.Shape.Height);
                    (int firstX, int endX) = Window(ox, dy.Shape.Width, dx.Shape.Width);
                    V count = V.Broadcast(T.CreateTruncating((long)(endY - firstY) * (endX - firstX)));
                    for (int lane = 0; lane < dx.Lanes; lane += V.Count)
                    {
                        V share = V.Load(dy.At(plane, oy) + ox * dy.Lanes + lane) / count;
                        for (int iy = firstY; iy < endY; iy++)
                        {
                            T* row = dx.At(plane, iy) + lane;
                            for (int ix = firstX; ix < endX; ix++)
                                (V.Load(row + ix * dx.Lanes) + share).Store(row + ix * dx.Lanes);
                        }
                    }
                }
        }
    }
}

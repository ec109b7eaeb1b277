using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// An image larger by whole factors. Nearest: y[c,oy,ox] = x[c,⌊oy/f⌋,⌊ox/f⌋]. Bilinear: output o lies at s = max((o + ½)/f − ½, 0) of the input,
/// and y = (1 − w)·x[⌊s⌋] + w·x[⌊s⌋ + 1] with w = s − ⌊s⌋, on both axes; behind the last pixel that one goes on.
/// The gradient goes back by the same weights.
/// </summary>
/// <remarks>
/// PyTorch's Upsample(scale_factor=…), bilinear with align_corners=False. A learnt one is a convolution after this.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html.
/// </remarks>
public sealed class Upsample : Layer
{
    readonly Size2d factor;
    readonly UpsampleMode mode;

    /// <summary>An int stands for both axes.</summary>
    /// <exception cref="ArgumentException">A factor below 1, or a mode that does not exist.</exception>
    public Upsample(Size2d scaleFactor, UpsampleMode mode = UpsampleMode.Nearest)
    {
        if (scaleFactor.Height < 1 || scaleFactor.Width < 1)
            throw new ArgumentException($"Upsample takes whole factors of at least 1, not {scaleFactor}; smaller images are made by pools and strides");
        if (!Enum.IsDefined(mode))
            throw new ArgumentException($"there is no upsampling mode {(int)mode}; use one of {string.Join(", ", Enum.GetNames<UpsampleMode>())}");
        (factor, this.mode) = (scaleFactor, mode);
    }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (input.IsFlat)
            Refuse($"takes images, not {input}");
        if ((double)input.Length * factor.Height * factor.Width > Array.MaxLength)
            Refuse($"{input} grown by {factor} has more numbers than an array holds");
        return new(input.Channels, input.Height * factor.Height, input.Width * factor.Width);
    }

    /// <summary>“Upsample(2×2, Bilinear)”.</summary>
    public override string ToString() => $"Upsample({factor}{(mode == UpsampleMode.Nearest ? "" : $", {mode}")})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("scaleFactor", factor.ToJson()), ("mode", $"{mode}")];

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        if (mode == UpsampleMode.Nearest)
            Simd.RunPlanes(y, new NearestPlane<T>(factor, x, y));
        else
            Bilinear.Forward(factor, x, y);
    }

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is null)
            return;
        if (mode == UpsampleMode.Nearest)
            Simd.Run(dx, dx.Planes, dy.PlanePitch, new NearestGradientPlane<T>(factor, dy, dx));
        else
            Bilinear.Backward(factor, dy, dx);
    }

    readonly unsafe struct NearestPlane<T>(Size2d factor, LaneTensor<T> x, LaneTensor<T> y) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            for (int oy = 0; oy < y.Shape.Height; oy++)
            {
                T* from = x.At(plane, oy / factor.Height), to = y.At(plane, oy);
                for (int ix = 0; ix < x.Shape.Width; ix++, from += x.Lanes)
                    for (int kx = 0; kx < factor.Width; kx++, to += y.Lanes)
                        for (int lane = 0; lane < x.Lanes; lane += V.Count)
                            V.Load(from + lane).Store(to + lane);
            }
        }
    }

    readonly unsafe struct NearestGradientPlane<T>(Size2d factor, LaneTensor<T> dy, LaneTensor<T> dx) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            for (int iy = 0; iy < dx.Shape.Height; iy++)
                for (int ix = 0; ix < dx.Shape.Width; ix++)
                    for (int lane = 0; lane < dx.Lanes; lane += V.Count)
                    {
                        V sum = V.Broadcast(T.Zero);
                        T* from = dy.At(plane, iy * factor.Height) + ix * factor.Width * dy.Lanes + lane;
                        for (int ky = 0; ky < factor.Height; ky++, from += dy.RowPitch)
                            for (int kx = 0; kx < factor.Width; kx++)
                                sum += V.Load(from + kx * dy.Lanes);
                        sum.Store(dx.At(plane, iy) + ix * dx.Lanes + lane);
                    }
        }
    }
}

/// <summary>What stands between the pixels of a smaller image, as PyTorch's Upsample names it.</summary>
public enum UpsampleMode
{
    /// <summary>a a b b: each pixel goes on.</summary>
    Nearest,

    /// <summary>a ¾a+¼b ¼a+¾b b: a straight line from the middle of one pixel to the middle of the next.</summary>
    Bilinear,
}

using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// Enlarges images by an integer factor f per axis, [N, C, H, W] → [N, C, f·H, f·W]. Nearest: y[c,oy,ox] = x[c,⌊oy/f⌋,⌊ox/f⌋].
/// Bilinear: on each axis, output o has the input coordinate s = max((o + ½)/f − ½, 0), and y = (1 − w)·x[⌊s⌋] + w·x[⌊s⌋ + 1] with w = s − ⌊s⌋.
/// The last pixel is repeated beyond the image. The gradient of x uses the same weights.
/// </summary>
/// <remarks>
/// Corresponds to PyTorch's Upsample(scale_factor=…); bilinear mode with align_corners=False. For a learned upsampling, add a convolution after it or use
/// <see cref="ConvTranspose2d"/>.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html.
/// </remarks>
public sealed class Upsample : Layer
{
    Window2d? copies;                                                          // for Nearest: the window of all copies of a pixel in y

    /// <summary>Creates an upsampling layer. An int is used for both axes, a tuple for (height, width).</summary>
    /// <param name="scaleFactor">Factors for height and width.</param>
    /// <param name="mode">Interpolation between the pixels of x.</param>
    /// <exception cref="ArgumentException">A factor is below 1, or the mode does not exist.</exception>
    public Upsample(Size2d scaleFactor, UpsampleMode mode = UpsampleMode.Nearest)
    {
        if (scaleFactor.Height < 1 || scaleFactor.Width < 1)
            throw new ArgumentException($"Upsample needs factors of at least 1, not {scaleFactor}; to make images smaller, use a pool or a stride");
        if (!Enum.IsDefined(mode))
            throw new ArgumentException($"there is no upsampling mode {(int)mode}; use one of {string.Join(", ", Enum.GetNames<UpsampleMode>())}");
        (ScaleFactor, Mode) = (scaleFactor, mode);
    }

    /// <summary>Factors for height and width.</summary>
    public Size2d ScaleFactor { get; }

    /// <summary>Interpolation between the pixels of x.</summary>
    public UpsampleMode Mode { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        RequireImage(input);
        return Output(input.Channels, (long)input.Height * ScaleFactor.Height, (long)input.Width * ScaleFactor.Width);
    }

    /// <summary>“Upsample(2×2, Bilinear)”.</summary>
    public override string ToString() => $"Upsample({ScaleFactor}{(Mode == UpsampleMode.Nearest ? "" : $", {Mode}")})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("scaleFactor", ScaleFactor.ToJson()), ("mode", $"{Mode}")];

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        if (Mode == UpsampleMode.Nearest)
            Nearest.Forward(ScaleFactor, x, y);
        else
            Bilinear.Forward(ScaleFactor, x, y);
    }

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is null)
            return;
        if (Mode == UpsampleMode.Nearest)
            SlidingWindow.Forward(copies ??= new(ScaleFactor, ScaleFactor), dy, dx, null, new AvgPool<T>(Divisor.One));
        else
            Bilinear.Backward(ScaleFactor, dy, dx);
    }
}

/// <summary>Interpolation modes of <see cref="Upsample"/>, named as in PyTorch. The examples show two pixels, a and b, with a factor of 2.</summary>
public enum UpsampleMode
{
    /// <summary>a a b b: each pixel is repeated.</summary>
    Nearest,

    /// <summary>a ¾a+¼b ¼a+¾b b: linear interpolation between pixel centers on both axes.</summary>
    Bilinear,
}

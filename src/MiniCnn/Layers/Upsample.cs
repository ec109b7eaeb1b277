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
    Window2d? copies;                                                          // of one pixel, for Nearest

    /// <summary>An int stands for both axes.</summary>
    /// <exception cref="ArgumentException">A factor below 1, or a mode that does not exist.</exception>
    public Upsample(Size2d scaleFactor, UpsampleMode mode = UpsampleMode.Nearest)
    {
        if (scaleFactor.Height < 1 || scaleFactor.Width < 1)
            throw new ArgumentException($"Upsample takes whole factors of at least 1, not {scaleFactor}; smaller images are made by pools and strides");
        if (!Enum.IsDefined(mode))
            throw new ArgumentException($"there is no upsampling mode {(int)mode}; use one of {string.Join(", ", Enum.GetNames<UpsampleMode>())}");
        (ScaleFactor, Mode) = (scaleFactor, mode);
    }

    /// <summary>Pixels of y for one of x, on each axis.</summary>
    public Size2d ScaleFactor { get; }

    /// <summary>What stands between the pixels of x.</summary>
    public UpsampleMode Mode { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (input.IsFlat)
            Refuse($"takes images, not {input}");
        if ((double)input.Length * ScaleFactor.Height * ScaleFactor.Width > Array.MaxLength)
            Refuse($"{input} grown by {ScaleFactor} has more numbers than an array holds");
        return new(input.Channels, input.Height * ScaleFactor.Height, input.Width * ScaleFactor.Width);
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

/// <summary>What stands between the pixels of a smaller image, as PyTorch's Upsample names it.</summary>
public enum UpsampleMode
{
    /// <summary>a a b b: each pixel goes on.</summary>
    Nearest,

    /// <summary>a ¾a+¼b ¼a+¾b b: a straight line from the middle of one pixel to the middle of the next.</summary>
    Bilinear,
}

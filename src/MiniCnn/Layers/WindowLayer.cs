namespace MiniCnn;

/// <summary>A layer made of a window that slides over an image: convolutions, and pools of a kernel's size.</summary>
public abstract class WindowLayer : Layer
{
    private protected WindowLayer(Window2d window) => Window = window;

    /// <summary>Taps on each axis.</summary>
    public Size2d KernelSize => Window.KernelSize;

    /// <summary>Pixels from one window to the next.</summary>
    public Size2d Stride => Window.Stride;

    /// <summary>Pixels added around the image that the window slides over.</summary>
    public Padding Padding => Window.Padding;

    /// <summary>Pixels from one tap to the next.</summary>
    public Size2d Dilation => Window.Dilation;

    internal Window2d Window { get; }
}

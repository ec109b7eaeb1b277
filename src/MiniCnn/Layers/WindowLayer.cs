namespace MiniCnn;

/// <summary>Base class of layers with a sliding window: convolutions, and pooling layers with a kernel size.</summary>
public abstract class WindowLayer : Layer
{
    private protected WindowLayer(Window2d window) => Window = window;

    /// <summary>Rows and columns of the kernel.</summary>
    public Size2d KernelSize => Window.KernelSize;

    /// <summary>Pixels from one window to the next, on each axis.</summary>
    public Size2d Stride => Window.Stride;

    /// <summary>Pixels added around the image that the window slides over.</summary>
    public Padding Padding => Window.Padding;

    /// <summary>Pixels from one kernel element to the next, on each axis.</summary>
    public Size2d Dilation => Window.Dilation;

    internal Window2d Window { get; }
}

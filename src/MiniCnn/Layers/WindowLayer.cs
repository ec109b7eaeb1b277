namespace MiniCnn;

/// <summary>Base class of layers with a sliding window: convolutions, and pooling layers with a kernel size.</summary>
public abstract class WindowLayer : Layer
{
    private protected WindowLayer(Window2d window) => Window = window;

    /// <summary>Rows and columns of the kernel.</summary>
    public Size2d KernelSize => Window.KernelSize;

    /// <summary>Pixels of x from one window to the next, on each axis. In <see cref="ConvTranspose2d"/>, they are pixels of y.</summary>
    public Size2d Stride => Window.Stride;

    /// <summary>Pixels added on each side of x. In <see cref="ConvTranspose2d"/>, pixels removed from each side of y.</summary>
    public Padding Padding => Window.Padding;

    /// <summary>Pixels from one kernel element to the next, on each axis.</summary>
    public Size2d Dilation => Window.Dilation;

    internal Window2d Window { get; }
}

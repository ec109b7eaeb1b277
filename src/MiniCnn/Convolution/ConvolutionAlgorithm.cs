namespace MiniCnn;

/// <summary>How the convolutions of a net, and their gradients, are computed.</summary>
public enum ConvolutionAlgorithm
{
    /// <summary>
    /// Winograd where it was measured to be faster: 3×3 with stride 1, and 16 channels of x and of y in a group or more. With 8 images or fewer, in the forward pass
    /// alone, without dilation, and where there are 9 tiles of 4×4 outputs or more.
    /// </summary>
    Auto,

    /// <summary>The sum of the formula. Small whole numbers come out exactly.</summary>
    Direct,

    /// <summary>
    /// Winograd's F(4×4, 3×3) wherever it can be: 3×3 with stride 1; with 8 images or fewer, in the forward pass alone and without dilation. A quarter of the
    /// multiplications, and rounding errors some 4 times those of the direct sum. NaN or infinity in x reaches all outputs of the 4×4 tiles that read it, and
    /// all nine weights' gradients.
    /// </summary>
    Winograd,
}

/// <summary>The one place that chooses.</summary>
static class ConvolutionChoice
{
    /// <summary>Whether the gradients of a convolution of so many lanes are computed by Winograd.</summary>
    public static bool TakesWinograd(this ConvolutionAlgorithm algorithm, Conv2dShape shape, int lanes) =>
        lanes > 1 && shape.Window.KernelSize == 3 && shape.Window.Stride == 1 && algorithm switch
        {
            ConvolutionAlgorithm.Direct => false,
            ConvolutionAlgorithm.Winograd => true,
            _ => Math.Min(shape.GroupInputChannels, shape.GroupOutputChannels) >= 16,
        };

    /// <summary>
    /// Whether a convolution is; of images one by one with few tiles, the transform of the weights would be half of it, and in double they are to be checked.
    /// </summary>
    public static bool TakesWinograd<T>(this ConvolutionAlgorithm algorithm, Conv2dShape shape, LaneTensor<T> x) where T : unmanaged
    {
        if (x.Lanes > 1)
            return algorithm.TakesWinograd(shape, x.Lanes);
        bool few = typeof(T) != typeof(float) || x.Count * WinogradChannels<float>.TilesOf(shape.OutputHeight, shape.OutputWidth) < 9;
        return algorithm.TakesWinograd(shape, LaneTensor<T>.FullLanes) && shape.Window.Dilation == 1 && (algorithm == ConvolutionAlgorithm.Winograd || !few);
    }
}

namespace MiniCnn;

/// <summary>The algorithm that computes the convolutions of a network and their gradients.</summary>
public enum ConvolutionAlgorithm
{
    /// <summary>
    /// <see cref="Winograd"/> where measurements show that it is faster, otherwise <see cref="Direct"/>. Winograd is used for kernel size 3×3, stride 1,
    /// and at least 16 input and 16 output channels in each group. With 8 images or fewer, it is used only in the forward pass, without dilation, and
    /// with at least 9 tiles of 4×4 outputs in the batch.
    /// </summary>
    Auto,

    /// <summary>The sum of products of the formula. Results are exact for small integers.</summary>
    Direct,

    /// <summary>
    /// Winograd's F(4×4, 3×3) wherever it applies, otherwise <see cref="Direct"/>. It applies to kernel size 3×3 with stride 1; with 8 images or fewer,
    /// only in the forward pass and without dilation. It needs a quarter of the multiplications. Its rounding errors are about 4 times those of the
    /// direct sum. NaN or infinity in x reaches all outputs of the 4×4 tiles that read it, and the gradients of all nine weights.
    /// </summary>
    Winograd,
}

/// <summary>Selects the algorithm of a convolution.</summary>
static class ConvolutionChoice
{
    /// <summary>Whether the gradients of a convolution with this number of lanes are computed by Winograd.</summary>
    public static bool TakesWinograd(this ConvolutionAlgorithm algorithm, Conv2dShape shape, int lanes) =>
        lanes > 1 && shape.Window.KernelSize == 3 && shape.Window.Stride == 1 && algorithm switch
        {
            ConvolutionAlgorithm.Direct => false,
            ConvolutionAlgorithm.Winograd => true,
            _ => Math.Min(shape.GroupInputChannels, shape.GroupOutputChannels) >= 16,
        };

    /// <summary>
    /// Whether the forward pass of a convolution is computed by Winograd. With one lane, Auto excludes convolutions with few tiles, where the transform of
    /// the weights would take half of the time, and all convolutions in double, the type of the gradient check.
    /// </summary>
    public static bool TakesWinograd<T>(this ConvolutionAlgorithm algorithm, Conv2dShape shape, LaneTensor<T> x) where T : unmanaged
    {
        if (x.Lanes > 1)
            return algorithm.TakesWinograd(shape, x.Lanes);
        bool few = typeof(T) != typeof(float) || x.Count * WinogradChannels<float>.TilesOf(shape.OutputHeight, shape.OutputWidth) < 9;
        return algorithm.TakesWinograd(shape, LaneTensor<T>.FullLanes) && shape.Window.Dilation == 1 && (algorithm == ConvolutionAlgorithm.Winograd || !few);
    }
}

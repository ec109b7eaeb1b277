namespace MiniCnn;

/// <summary>The memory that the passes of a convolution work in.</summary>
sealed class ConvolutionBuffers<T> where T : unmanaged
{
    /// <summary>x with its padding, which the backward pass finds as the forward pass left it; x by phases, see <see cref="ColumnPhases"/>.</summary>
    public readonly LaneBuffer<T> Padded = new(), Phases = new();

    /// <summary>dy with zeros around it; dx with its padding, where that is not zeros; dx by phases.</summary>
    public readonly LaneBuffer<T> WideGradient = new(), PaddedGradient = new(), GradientPhases = new();

    /// <summary>For one pass: the weights as the kernel reads them, or the sums for their gradient; zeros where there is no bias.</summary>
    public readonly GrowingArray<T> Weights = new(), Zeros = new();

    /// <summary>For one pass, a number a tap: from a pixel to what the tap reads; where its weight lies.</summary>
    public readonly GrowingArray<nint> Offsets = new(), Places = new();
}

/// <summary>An array that is made anew when it is too short.</summary>
sealed class GrowingArray<E>
{
    E[] array = [];

    /// <summary>The array, at least so long; unspecified numbers.</summary>
    public E[] Take(int length) => array.Length >= length ? array : array = new E[length];
}

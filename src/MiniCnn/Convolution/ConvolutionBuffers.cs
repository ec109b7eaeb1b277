namespace MiniCnn;

/// <summary>Reusable memory of the forward and backward passes of a convolution.</summary>
sealed class ConvolutionBuffers<T> where T : unmanaged
{
    /// <summary>x with its padding, kept from the forward pass for the backward pass; x split into phases, see <see cref="ColumnPhases"/>.</summary>
    public readonly LaneBuffer<T> Padded = new(), Phases = new();

    /// <summary>dy surrounded by zeros; dx with its padding, for padding modes other than zeros; dx split into phases.</summary>
    public readonly LaneBuffer<T> WideGradient = new(), PaddedGradient = new(), GradientPhases = new();

    /// <summary>Used within one pass: the packed weights, or the partial sums of their gradient; zeros in place of a missing bias.</summary>
    public readonly GrowingArray<T> Weights = new(), Zeros = new();

    /// <summary>Used within one pass, one number for each tap: distance from a pixel to the element that the tap reads; index of its weight.</summary>
    public readonly GrowingArray<nint> Offsets = new(), Places = new();
}

/// <summary>An array that is reallocated when it is too short.</summary>
sealed class GrowingArray<E>
{
    E[] array = [];

    /// <summary>Returns the array with at least this length. Its content is unspecified.</summary>
    public E[] Take(int length) => array.Length >= length ? array : array = new E[length];
}

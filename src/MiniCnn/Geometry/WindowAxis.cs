namespace MiniCnn;

/// <summary>
/// One axis, rows or columns, of a window that slides over a padded image. <see cref="Source"/> gives the pixel that each tap of each output reads.
/// </summary>
/// <remarks>Both axes of every convolution and pool use this type, so H and W share the same index arithmetic.</remarks>
public readonly record struct WindowAxis
{
    internal WindowAxis(int input, int kernel, int stride, int padBefore, int padAfter, int dilation, PaddingMode mode, bool ceil = false)
    {
        (Input, Kernel, Stride, PadBefore, PadAfter, Dilation, Mode) = (input, kernel, stride, padBefore, padAfter, dilation, mode);
        long room = (long)input + padBefore + padAfter - Span + (ceil ? stride - 1 : 0);
        Output = room < 0 ? 0 : (int)(room / stride + 1);
        if (ceil && (long)(Output - 1) * stride >= (long)input + padBefore)
            Output--;                                                     // the last window would start in the padding after the image
    }

    /// <summary>Number of pixels of the image, without padding.</summary>
    public int Input { get; }

    /// <summary>Number of taps of the kernel.</summary>
    public int Kernel { get; }

    /// <summary>Pixels from one output to the next.</summary>
    public int Stride { get; }

    /// <summary>Padding above or to the left of the image, in pixels.</summary>
    public int PadBefore { get; }

    /// <summary>Padding below or to the right of the image, in pixels.</summary>
    public int PadAfter { get; }

    /// <summary>Pixels from one tap to the next.</summary>
    public int Dilation { get; }

    /// <summary>Values of the padding pixels.</summary>
    public PaddingMode Mode { get; }

    /// <summary>Number of pixels from the first tap of the kernel to the last, inclusive: dilation·(kernel − 1) + 1.</summary>
    public int Span => Dilation * (Kernel - 1) + 1;

    /// <summary>
    /// Number of outputs: ⌊(input + padBefore + padAfter − dilation·(kernel − 1) − 1) / stride⌋ + 1, or 0 if the window does not fit.
    /// With the ceilMode of a pool, the quotient is rounded up, and a window that would start after the image is omitted.
    /// </summary>
    public int Output { get; internal init; }

    /// <summary>
    /// Returns the index of the pixel that a tap of an output reads: output·stride + tap·dilation − padBefore. If this index is in the padding, the
    /// padding mode selects the pixel; the result is −1 for a zero.
    /// </summary>
    /// <param name="output">Index of the output, from 0.</param>
    /// <param name="tap">Index of the tap, from 0.</param>
    public int Source(int output, int tap)
    {
        int i = Place(output, tap);
        return (uint)i < (uint)Input ? i : PaddingSource(i);
    }

    /// <summary>Position of tap k of output o, o·stride + k·dilation − padBefore: on the image, or in the padding around it.</summary>
    internal int Place(int output, int tap) => output * Stride + tap * Dilation - PadBefore;

    /// <summary>First tap of output o that is on the image, not in the padding before it.</summary>
    internal int FirstTap(int output) => Math.Max(0, (PadBefore - output * Stride + Dilation - 1) / Dilation);

    /// <summary>One past the last tap of output o that is on the image; at most <see cref="FirstTap"/> if no tap is.</summary>
    internal int EndTap(int output)
    {
        int room = Input - 1 + PadBefore - output * Stride;               // pixels from tap 0 to the last pixel of the image
        return room < 0 ? 0 : Math.Min(Kernel, room / Dilation + 1);
    }

    /// <summary>
    /// Number of taps of output o on the image or its padding. These are all taps, except with ceilMode, where the last window may extend beyond the
    /// padding.
    /// </summary>
    internal int PaddedTaps(int output) => Math.Min(Kernel, (Input + PadBefore + PadAfter - 1 - output * Stride) / Dilation + 1);

    /// <summary>First output with all taps on the image, if there is one.</summary>
    internal int FirstInside => (PadBefore + Stride - 1) / Stride;

    /// <summary>One past the last output with all taps on the image.</summary>
    internal int EndInside => Input + PadBefore < Span ? 0 : (Input + PadBefore - Span) / Stride + 1;

    /// <summary>Index of the pixel that the padding repeats at position i (i &lt; 0 or i ≥ Input), or −1 for zero.</summary>
    internal int PaddingSource(int i) => Mode switch
    {
        PaddingMode.Reflect => i < 0 ? -i : 2 * (Input - 1) - i,
        PaddingMode.Replicate => i < 0 ? 0 : Input - 1,
        PaddingMode.Circular => i < 0 ? i + Input : i - Input,
        _ => -1,
    };
}

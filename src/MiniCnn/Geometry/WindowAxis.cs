namespace MiniCnn;

/// <summary>
/// One axis, rows or columns, of a window that slides over a padded image: where tap k of output o reads.
/// </summary>
/// <remarks>Both axes of a convolution or a pool are one of these, so what is right for H is right for W.</remarks>
public readonly record struct WindowAxis
{
    internal WindowAxis(int input, int kernel, int stride, int padBefore, int padAfter, int dilation, PaddingMode mode, bool ceil = false)
    {
        (Input, Kernel, Stride, PadBefore, PadAfter, Dilation, Mode) = (input, kernel, stride, padBefore, padAfter, dilation, mode);
        long room = (long)input + padBefore + padAfter - Span + (ceil ? stride - 1 : 0);
        Output = room < 0 ? 0 : (int)(room / stride + 1);
        if (ceil && (long)(Output - 1) * stride >= (long)input + padBefore)
            Output--;                                                     // its window would begin in the padding after the image
    }

    /// <summary>Pixels of the image, padding not counted.</summary>
    public int Input { get; }

    /// <summary>Taps of the kernel.</summary>
    public int Kernel { get; }

    /// <summary>Pixels from one output to the next.</summary>
    public int Stride { get; }

    /// <summary>Padding above, or to the left.</summary>
    public int PadBefore { get; }

    /// <summary>Padding below, or to the right.</summary>
    public int PadAfter { get; }

    /// <summary>Pixels from one tap to the next.</summary>
    public int Dilation { get; }

    /// <summary>What stands in the padding.</summary>
    public PaddingMode Mode { get; }

    /// <summary>Pixels from the kernel's first tap to its last, both counted: dilation·(kernel − 1) + 1.</summary>
    public int Span => Dilation * (Kernel - 1) + 1;

    /// <summary>
    /// Outputs: ⌊(input + padBefore + padAfter − dilation·(kernel − 1) − 1) / stride⌋ + 1; 0 where the window does not fit. With a pool's
    /// ceilMode the quotient is rounded up, and windows that would begin beyond the image are left out.
    /// </summary>
    public int Output { get; internal init; }

    /// <summary>The pixel that tap k of output o reads, o·stride + k·dilation − padBefore, or −1 where that is a zero of the padding.</summary>
    public int Source(int output, int tap)
    {
        int i = Place(output, tap);
        return (uint)i < (uint)Input ? i : PaddingSource(i);
    }

    /// <summary>Where tap k of output o stands, o·stride + k·dilation − padBefore: on the image, or in the padding around it.</summary>
    internal int Place(int output, int tap) => output * Stride + tap * Dilation - PadBefore;

    /// <summary>The first tap of output o that lies on the image, not in the padding before it.</summary>
    internal int FirstTap(int output) => Math.Max(0, (PadBefore - output * Stride + Dilation - 1) / Dilation);

    /// <summary>One more than the last tap of output o that lies on the image; not above <see cref="FirstTap"/> where none does.</summary>
    internal int EndTap(int output)
    {
        int room = Input - 1 + PadBefore - output * Stride;               // pixels from tap 0 to the last one of the image
        return room < 0 ? 0 : Math.Min(Kernel, room / Dilation + 1);
    }

    /// <summary>Taps of output o that lie on the image or its padding: all but with ceilMode, where the last window may go on beyond.</summary>
    internal int PaddedTaps(int output) => Math.Min(Kernel, (Input + PadBefore + PadAfter - 1 - output * Stride) / Dilation + 1);

    /// <summary>The first output of which all taps lie on the image, if any.</summary>
    internal int FirstInside => (PadBefore + Stride - 1) / Stride;

    /// <summary>One more than the last of them.</summary>
    internal int EndInside => Input + PadBefore < Span ? 0 : (Input + PadBefore - Span) / Stride + 1;

    /// <summary>The pixel that stands at place i of the padding (i below 0, or at Input and beyond), or −1 for zero.</summary>
    internal int PaddingSource(int i) => Mode switch
    {
        PaddingMode.Reflect => i < 0 ? -i : 2 * (Input - 1) - i,
        PaddingMode.Replicate => i < 0 ? 0 : Input - 1,
        PaddingMode.Circular => i < 0 ? i + Input : i - Input,
        _ => -1,
    };
}

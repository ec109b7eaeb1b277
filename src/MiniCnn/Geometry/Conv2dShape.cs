namespace MiniCnn;

/// <summary>
/// All sizes of one 2-D convolution. The constructor validates them, so later code does not check them again. Immutable.
/// </summary>
/// <remarks>
/// x [N, IC, H, W] ⋆ w [OC, IC/groups, kH, kW] + b [OC] → y [N, OC, OH, OW], with
/// OH = ⌊(H + top + bottom − dilation·(kH − 1) − 1) / stride⌋ + 1; OW is computed in the same way.
/// The output channels of group g, <see cref="GroupOutputChannels"/> in number, read only the input channels of group g,
/// <see cref="GroupInputChannels"/> in number.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html.
/// </remarks>
public sealed record Conv2dShape
{
    /// <summary>Validates the sizes and computes the derived ones.</summary>
    /// <param name="batch">N, number of images in the batch; 0 is allowed.</param>
    /// <param name="inputChannels">IC, number of input channels.</param>
    /// <param name="height">H, height of the input in pixels.</param>
    /// <param name="width">W, width of the input in pixels.</param>
    /// <param name="outputChannels">OC, number of output channels.</param>
    /// <param name="window">Kernel size, stride, padding and dilation.</param>
    /// <param name="groups">
    /// Number of groups of channels; the default is 1. Each group of output channels reads only its own group of input channels.
    /// With IC groups, this is a depthwise convolution.
    /// </param>
    /// <exception cref="ArgumentNullException">The window is null.</exception>
    /// <exception cref="ArgumentException">
    /// A size is out of range, the groups do not divide the channels, the window does not fit the input, or a tensor would hold more than
    /// <see cref="Array.MaxLength"/> elements.
    /// </exception>
    public Conv2dShape(int batch, int inputChannels, int height, int width, int outputChannels, Window2d window, int groups = 1)
    {
        ArgumentNullException.ThrowIfNull(window);
        if (batch < 0)
            throw new ArgumentException($"the batch size must be at least 0, not {batch}");
        CheckChannels(inputChannels, outputChannels, groups);
        (Batch, InputChannels, OutputChannels, Groups, Window) = (batch, inputChannels, outputChannels, groups, window);
        _ = window.OutputSize(height, width);                                            // throws if the window does not fit
        (Rows, Columns) = (window.Rows(height), window.Columns(width));
        InputLength = Length("the input", batch, inputChannels, height, width);
        WeightLength = Length("the weight", outputChannels, GroupInputChannels, window.KernelSize.Height, window.KernelSize.Width);
        OutputLength = Length("the output", batch, outputChannels, OutputHeight, OutputWidth);
    }

    /// <summary>N, number of images in the batch.</summary>
    public int Batch { get; }

    /// <summary>IC, number of channels of x.</summary>
    public int InputChannels { get; }

    /// <summary>OC, number of channels of y.</summary>
    public int OutputChannels { get; }

    /// <summary>Number of groups. The output channels of a group read only the input channels of the same group.</summary>
    public int Groups { get; }

    /// <summary>Kernel size, stride, padding and dilation.</summary>
    public Window2d Window { get; }

    /// <summary>The vertical axis: H, kH, OH, vertical stride and dilation, padding at the top and bottom.</summary>
    public WindowAxis Rows { get; private init; }

    /// <summary>The horizontal axis: W, kW, OW, horizontal stride and dilation, padding on the left and right.</summary>
    public WindowAxis Columns { get; private init; }

    /// <summary>OH, height of y in pixels.</summary>
    public int OutputHeight => Rows.Output;

    /// <summary>OW, width of y in pixels.</summary>
    public int OutputWidth => Columns.Output;

    /// <summary>IC/groups, number of input channels that each output channel reads.</summary>
    public int GroupInputChannels => InputChannels / Groups;

    /// <summary>OC/groups, number of output channels that read the same input channels.</summary>
    public int GroupOutputChannels => OutputChannels / Groups;

    /// <summary>Number of elements of x, N·IC·H·W.</summary>
    public int InputLength { get; }

    /// <summary>Number of elements of w, OC·IC/groups·kH·kW.</summary>
    public int WeightLength { get; }

    /// <summary>Number of elements of y, N·OC·OH·OW.</summary>
    public int OutputLength { get; private init; }

    /// <summary>Returns the shapes and the window, for example “2×3×7×9 → 2×4×5×5 (3×5)”.</summary>
    public override string ToString() =>
        $"{Batch}×{InputChannels}×{Rows.Input}×{Columns.Input} → {Batch}×{OutputChannels}×{OutputHeight}×{OutputWidth} "
        + $"({Window}{(Groups == 1 ? "" : $", groups {Groups}")})";

    /// <summary>Returns this convolution restricted to its first height × width outputs.</summary>
    internal Conv2dShape WithOutput(int height, int width) => this with
    {
        Rows = Rows with { Output = height },
        Columns = Columns with { Output = width },
        OutputLength = Length("the output", Batch, OutputChannels, height, width),
    };

    internal static void CheckChannels(int inputChannels, int outputChannels, int groups)
    {
        if (inputChannels < 1 || outputChannels < 1 || groups < 1)
            throw new ArgumentException($"channels and groups must be at least 1, not {inputChannels} in, {outputChannels} out, {groups} groups");
        if (inputChannels % groups != 0 || outputChannels % groups != 0)
            throw new ArgumentException($"{groups} groups must divide the channels, {inputChannels} in and {outputChannels} out");
    }

    static int Length(string what, params ReadOnlySpan<int> sizes)
    {
        long length = 1;
        foreach (int size in sizes)
        {
            length *= size;
            if (length > Array.MaxLength)
                throw new ArgumentException($"{what} {string.Join("×", sizes.ToArray())} would hold more than {Array.MaxLength} numbers");
        }
        return (int)length;
    }
}

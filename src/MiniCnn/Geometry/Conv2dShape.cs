namespace MiniCnn;

/// <summary>
/// The geometry of one convolution: all sizes, checked once, so that nothing after it needs to check again. Immutable.
/// </summary>
/// <remarks>
/// x [N, IC, H, W] ⋆ w [OC, IC/groups, kH, kW] + b [OC] → y [N, OC, OH, OW], with
/// OH = ⌊(H + top + bottom − dilation·(kH − 1) − 1) / stride⌋ + 1 and OW in the same way.
/// Group g of <see cref="GroupOutputChannels"/> output channels reads group g of <see cref="GroupInputChannels"/> input channels.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html.
/// </remarks>
public sealed record Conv2dShape
{
    /// <summary>Checks the numbers and works out the rest.</summary>
    /// <param name="batch">N, images; 0 is allowed.</param>
    /// <param name="inputChannels">IC.</param>
    /// <param name="height">H, rows of the image.</param>
    /// <param name="width">W, columns of the image.</param>
    /// <param name="outputChannels">OC.</param>
    /// <param name="window">Kernel size, stride, padding, dilation.</param>
    /// <param name="groups">Groups of channels that do not see each other; IC groups make a depthwise convolution.</param>
    /// <exception cref="ArgumentException">Sizes that do not fit each other, or a tensor longer than an array can be.</exception>
    public Conv2dShape(int batch, int inputChannels, int height, int width, int outputChannels, Window2d window, int groups = 1)
    {
        ArgumentNullException.ThrowIfNull(window);
        if (batch < 0)
            throw new ArgumentException($"the batch must be at least 0 images, not {batch}");
        CheckChannels(inputChannels, outputChannels, groups);
        (Batch, InputChannels, OutputChannels, Groups, Window) = (batch, inputChannels, outputChannels, groups, window);
        _ = window.OutputSize(height, width);                                            // checked
        (Rows, Columns) = (window.Rows(height), window.Columns(width));
        InputLength = Length("the input", batch, inputChannels, height, width);
        WeightLength = Length("the weight", outputChannels, GroupInputChannels, window.KernelSize.Height, window.KernelSize.Width);
        OutputLength = Length("the output", batch, outputChannels, OutputHeight, OutputWidth);
    }

    /// <summary>N, images.</summary>
    public int Batch { get; }

    /// <summary>IC, channels of x.</summary>
    public int InputChannels { get; }

    /// <summary>OC, channels of y.</summary>
    public int OutputChannels { get; }

    /// <summary>Groups of channels that do not see each other.</summary>
    public int Groups { get; }

    /// <summary>Kernel size, stride, padding, dilation.</summary>
    public Window2d Window { get; }

    /// <summary>The vertical axis: H, kH, stride, padding top and bottom, OH.</summary>
    public WindowAxis Rows { get; private init; }

    /// <summary>The horizontal axis: W, kW, stride, padding left and right, OW.</summary>
    public WindowAxis Columns { get; private init; }

    /// <summary>OH, rows of y.</summary>
    public int OutputHeight => Rows.Output;

    /// <summary>OW, columns of y.</summary>
    public int OutputWidth => Columns.Output;

    /// <summary>IC/groups, the input channels that one output channel reads.</summary>
    public int GroupInputChannels => InputChannels / Groups;

    /// <summary>OC/groups, the output channels that read the same input channels.</summary>
    public int GroupOutputChannels => OutputChannels / Groups;

    /// <summary>Numbers in x, N·IC·H·W.</summary>
    public int InputLength { get; }

    /// <summary>Numbers in w, OC·IC/groups·kH·kW.</summary>
    public int WeightLength { get; }

    /// <summary>Numbers in y, N·OC·OH·OW.</summary>
    public int OutputLength { get; private init; }

    /// <summary>“2×3×7×9 → 2×4×5×5 (3×5)”.</summary>
    public override string ToString() =>
        $"{Batch}×{InputChannels}×{Rows.Input}×{Columns.Input} → {Batch}×{OutputChannels}×{OutputHeight}×{OutputWidth} "
        + $"({Window}{(Groups == 1 ? "" : $", groups {Groups}")})";

    /// <summary>The same with its first so many outputs only.</summary>
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

namespace MiniCnn.Tests;

/// <summary>
/// Runs the forward and backward pass of a layer with a given lane type. Fills outputs with NaN before, and verifies that inputs and margins are unchanged.
/// </summary>
sealed unsafe class LayerBench
{
    /// <summary>All combinations of lanes of a tensor and floats in a vector.</summary>
    public static TheoryData<int, int> Widths => new() { { 16, 16 }, { 16, 8 }, { 16, 4 }, { 16, 1 }, { 1, 16 }, { 1, 8 }, { 1, 4 }, { 1, 1 } };

    /// <summary>The widest vector of this machine for tensors with the given number of lanes.</summary>
    public static int Widest(int lanes) => Widths.Where(form => (int)form[0] == lanes && (int)form[1] <= Simd.Width).Max(form => (int)form[1]);

    public required float[] Y { get; init; }

    public required float[] Dx { get; init; }

    public static LayerBench Run(
        Layer layer, ImageShape shape, int count, float[] input, float[] gradient, int lanes, int width, bool training = true, bool margins = true,
        LayerContext<float>? context = null)
    {
        ImageShape output = layer.OutputShape(shape);
        Padding asked = layer.InputMargin(shape), more = margins ? new(asked.Top, asked.Left + 2, asked.Bottom + 1, asked.Right + 1) : asked;    // others ask too
        LaneTensor<float> x = new(lanes, shape, more), y = new(lanes, output, margins ? new(1, 0, 2, 1) : default);
        LaneTensor<float> dy = new(lanes, output, margins ? new(1, 1, 0, 2) : default), dx = new(lanes, shape, margins ? new(0, 2, 1, 0) : default);
        x.Resize(count).Pack(input);
        dy.Resize(count).Pack(gradient);
        Poison(y.Resize(count));
        Poison(dx.Resize(count));
        context ??= new() { Training = training, Differentiable = true, Seed = 1, Algorithm = ConvolutionAlgorithm.Direct };
        float[] before = Everything(x).ToArray(), gradientBefore = Everything(dy).ToArray();
        Vectors.Of(width, () =>
        {
            layer.Forward(x, y, context);
            if (context.Differentiable)
                layer.Backward(x, y, dy, dx, context);
        });
        Assert.True(Everything(x).SequenceEqual(before), "x was changed");
        Assert.True(Everything(dy).SequenceEqual(gradientBefore), "dy was changed");
        AssertMarginsAreZero(y);
        AssertMarginsAreZero(dx);
        if (context.Differentiable)
            AssertDeadLanesAreZero(dx);
        float[] outputs = new float[count * output.Length], gradients = new float[count * shape.Length];
        y.Unpack(outputs);
        dx.Unpack(gradients);
        foreach (LaneTensor<float> tensor in (LaneTensor<float>[])[x, y, dy, dx])
            GC.KeepAlive(tensor);
        return new() { Y = outputs, Dx = gradients };
    }

    static void Poison(LaneTensor<float> tensor)
    {
        for (int plane = 0; plane < tensor.Planes; plane++)
            for (int row = 0; row < tensor.Shape.Height; row++)
                new Span<float>(tensor.At(plane, row), tensor.RowLength).Fill(float.NaN);
    }

    /// <summary>All memory of a tensor, including margins and dead lanes.</summary>
    static Span<float> Everything(LaneTensor<float> tensor) =>
        new(tensor.At(0, -tensor.Margin.Top) - tensor.Margin.Left * tensor.Lanes, (int)(tensor.Blocks * tensor.BlockPitch));

    static void AssertMarginsAreZero(LaneTensor<float> tensor)
    {
        (int top, int left, int bottom, int right) = tensor.Margin;
        for (int plane = 0; plane < tensor.Planes; plane++)
            for (int row = -top; row < tensor.Shape.Height + bottom; row++)
            {
                Span<float> all = new(tensor.At(plane, row) - left * tensor.Lanes, (int)tensor.RowPitch);
                bool outside = row < 0 || row >= tensor.Shape.Height;
                bool zero = outside ? IsZero(all) : IsZero(all[..(left * tensor.Lanes)]) && IsZero(all[^(right * tensor.Lanes)..]);
                Assert.True(zero, "a margin was written to");
            }

        static bool IsZero(Span<float> numbers) => !numbers.ContainsAnyExcept(0);
    }

    /// <summary>Overwrites the lanes of the last block that hold no image.</summary>
    public static void FillDeadLanes(LaneTensor<float> tensor, float value)
    {
        for (int plane = 0; plane < tensor.Planes; plane++)
            for (int row = 0; row < tensor.Shape.Height; row++)
                for (int i = 0; i < tensor.RowLength; i++)
                    if (plane / tensor.Shape.Channels * tensor.Lanes + i % tensor.Lanes >= tensor.Count)
                        tensor.At(plane, row)[i] = value;
        GC.KeepAlive(tensor);
    }

    public static void AssertDeadLanesAreZero(LaneTensor<float> tensor)
    {
        for (int image = tensor.Count; image < tensor.Blocks * tensor.Lanes; image++)
            for (int channel = 0; channel < tensor.Shape.Channels; channel++)
                for (int row = 0; row < tensor.Shape.Height; row++)
                    for (int column = 0; column < tensor.Shape.Width; column++)
                        Assert.True(tensor.At(image / tensor.Lanes, channel, row)[column * tensor.Lanes + image % tensor.Lanes] == 0, "a dead lane is not 0");
    }
}

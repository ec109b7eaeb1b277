using static MiniCnn.OnnxModels.OnnxWriter;

namespace MiniCnn.OnnxModels;

/// <summary>Converts a network's layers to ONNX operators that compute the same values as the layers in evaluation mode.</summary>
sealed class OnnxExport(OnnxWriter graph, bool foldBatchNorm)
{
    /// <summary>Adds the nodes of a layer. Returns the name of its output.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="x">Name of its input.</param>
    /// <param name="shape">Shape of an image at its input.</param>
    /// <exception cref="NotSupportedException">The layer has no ONNX equivalent.</exception>
    public string Add(Layer layer, string x, ImageShape shape) => layer switch
    {
        Sequential sequential => Chain(sequential.Layers, x, shape),
        Residual residual => Node(residual, "Add", [Add(residual.Body, x, shape), residual.Shortcut is null ? x : Add(residual.Shortcut, x, shape)]),
        Concat concat => Node(concat, "Concat", [.. concat.Branches.Select(branch => Add(branch, x, shape))], Int("axis", 1)),
        Identity or Dropout => x,
        Conv2d conv => Convolution(conv, x, [.. conv.Weight.Value], conv.Bias is null ? null : [.. conv.Bias.Value]),
        ConvTranspose2d conv => Transposed(conv, x),
        Linear linear => Node(linear, "Gemm", [x, Constant(linear.Weight), .. linear.Bias is null ? [] : new[] { Constant(linear.Bias) }], Int("transB", 1)),
        BatchNorm norm => Node(norm, "BatchNormalization",
            [x, Constant(norm.Weight), Constant(norm.Bias), graph.Constant(norm.NameOf("running_mean"), norm.RunningMean),
                graph.Constant(norm.NameOf("running_var"), norm.RunningVar)], Float("epsilon", norm.Epsilon)),
        LayerNorm norm => Node(norm, "LayerNormalization", [x, Constant(norm.Weight), Constant(norm.Bias)], Int("axis", 1), Float("epsilon", norm.Epsilon)),
        GroupNorm norm => GroupNormalization(norm, x, shape),
        MaxPool2d pool => Node(pool, "MaxPool", [x],
            [.. Window(pool.Window), Ints("pads", Pads(pool.Window, shape)), Ints("dilations", Of(pool.Dilation))]),
        AvgPool2d pool => Average(pool, x, shape),
        AdaptiveAvgPool2d pool => Adaptive(pool, "AveragePool", x, shape),
        AdaptiveMaxPool2d pool => Adaptive(pool, "MaxPool", x, shape),
        Upsample up => Node(up, "Resize", [x, "", graph.Constant(up.NameOf("scales"), [1, 1, up.ScaleFactor.Height, up.ScaleFactor.Width], 4)],
            Text("mode", up.Mode == UpsampleMode.Nearest ? "nearest" : "linear"), Text("nearest_mode", "floor"),
            Text("coordinate_transformation_mode", up.Mode == UpsampleMode.Nearest ? "asymmetric" : "half_pixel")),
        Pad2d pad => Pad(pad, x, pad.Padding, pad.PaddingMode),
        Flatten => Node(layer, "Flatten", [x], Int("axis", 1)),
        Unflatten unflatten => Reshape(unflatten, x, [-1, .. Lengths(unflatten.Shape)]),
        ReLU => Node(layer, "Relu", [x]),
        LeakyReLU leaky => Node(leaky, "LeakyRelu", [x], Float("alpha", leaky.NegativeSlope)),
        Sigmoid => Node(layer, "Sigmoid", [x]),
        Tanh => Node(layer, "Tanh", [x]),
        SiLU => Node(layer, "Mul", [x, Node(layer, "Sigmoid", [x])]),
        GELU => Gelu(layer, x),
        Softmax => Node(layer, "Softmax", [x], Int("axis", 1)),
        LogSoftmax => Node(layer, "LogSoftmax", [x], Int("axis", 1)),
        _ => throw new NotSupportedException($"{layer.Description}: a custom layer cannot be exported to ONNX; replace it with layers of this library"),
    };

    string Chain(IReadOnlyList<Layer> layers, string x, ImageShape shape)
    {
        for (int i = 0; i < layers.Count; i++)
        {
            if (foldBatchNorm && layers[i] is Conv2d conv && i + 1 < layers.Count && layers[i + 1] is BatchNorm2d norm)
            {
                (x, i) = (Folded(conv, norm, x), i + 1);
                shape = conv.OutputShape(shape);
                continue;
            }
            x = Add(layers[i], x, shape);
            shape = layers[i].OutputShape(shape);
        }
        return x;
    }

    /// <summary>Folds a batch norm into the convolution before it: weight w·γ/√(σ² + ε), bias (b − μ)·γ/√(σ² + ε) + β.</summary>
    string Folded(Conv2d conv, BatchNorm2d norm, string x)
    {
        float[] weight = [.. conv.Weight.Value], bias = conv.Bias is null ? new float[conv.OutputChannels] : [.. conv.Bias.Value];
        int taps = weight.Length / bias.Length;
        for (int c = 0; c < bias.Length; c++)
        {
            double scale = norm.Weight.Value[c] / Math.Sqrt(norm.RunningVar[c] + norm.Epsilon);
            for (int i = c * taps; i < (c + 1) * taps; i++)
                weight[i] = (float)(weight[i] * scale);
            bias[c] = (float)((bias[c] - norm.RunningMean[c]) * scale + norm.Bias.Value[c]);
        }
        return Convolution(conv, x, weight, bias);
    }

    string Convolution(Conv2d conv, string x, float[] weight, float[]? bias)
    {
        bool zeros = conv.PaddingMode == PaddingMode.Zeros;
        if (!zeros)
            x = Pad(conv, x, conv.Padding, conv.PaddingMode);
        string w = graph.Constant(conv.Weight.Name, weight, conv.OutputChannels, conv.InputChannels / conv.Groups, conv.KernelSize.Height, conv.KernelSize.Width);
        return Node(conv, "Conv", [x, w, .. bias is null ? [] : new[] { graph.Constant(conv.NameOf("bias"), bias, bias.Length) }],
            Ints("kernel_shape", Of(conv.KernelSize)), Ints("strides", Of(conv.Stride)), Ints("pads", zeros ? Of(conv.Padding) : [0, 0, 0, 0]),
            Ints("dilations", Of(conv.Dilation)), Int("group", conv.Groups));
    }

    /// <summary>
    /// Output padding first reduces the padding at the end. The rest adds rows and columns that contain only the bias. Not every runtime supports an
    /// output_padding of a stride or more, so this case is written as Pad and Add nodes.
    /// </summary>
    string Transposed(ConvTranspose2d conv, string x)
    {
        Padding p = conv.Padding;
        (int bottom, int right) = (p.Bottom - conv.OutputPadding.Height, p.Right - conv.OutputPadding.Width);
        bool apart = bottom <= -conv.Stride.Height || right <= -conv.Stride.Width;
        string y = Node(conv, "ConvTranspose", [x, Constant(conv.Weight), .. conv.Bias is null || apart ? [] : new[] { Constant(conv.Bias) }],
            Ints("kernel_shape", Of(conv.KernelSize)), Ints("strides", Of(conv.Stride)), Ints("dilations", Of(conv.Dilation)), Int("group", conv.Groups),
            Ints("pads", p.Top, p.Left, Math.Max(0, bottom), Math.Max(0, right)),
            Ints("output_padding", apart ? 0 : Math.Max(0, -bottom), apart ? 0 : Math.Max(0, -right)));
        if (!apart)
            return y;
        y = Pad(conv, y, new(0, 0, Math.Max(0, -bottom), Math.Max(0, -right)), PaddingMode.Zeros);
        return conv.Bias is null ? y : Node(conv, "Add", [y, graph.Constant(conv.Bias.Name, [.. conv.Bias.Value], conv.OutputChannels, 1, 1)]);
    }

    string Pad(Layer layer, string x, Padding padding, PaddingMode mode) => Node(layer, "Pad",
        [x, graph.Constant(layer.NameOf("pads"), (long[])[0, 0, padding.Top, padding.Left, 0, 0, padding.Bottom, padding.Right])], Text("mode", graph.ModeOf(mode)));

    /// <summary>As in PyTorch, a partial window of ceilMode counts only its pixels inside the image and the padding.</summary>
    string Average(AvgPool2d pool, string x, ImageShape shape)
    {
        Window2d window = pool.Window;
        bool counts = pool.CountIncludePad && window.Padding != default, apart = counts && pool.CeilMode;
        if (!apart)
            return Node(pool, "AveragePool", [x], [.. Window(window), Ints("pads", Pads(window, shape)), Int("count_include_pad", counts ? 1 : 0)]);
        int[] all = Pads(window, shape);
        Padding p = window.Padding;
        return Node(pool, "AveragePool", [Pad(pool, x, p, PaddingMode.Zeros)],
            [.. Window(window), Ints("pads", 0, 0, Math.Max(0, all[2] - p.Bottom), Math.Max(0, all[3] - p.Right))]);
    }

    string Adaptive(AdaptivePool2d pool, string op, string x, ImageShape shape)
    {
        Size2d to = pool.OutputSize;
        if (shape.Height % to.Height != 0 || shape.Width % to.Width != 0)
        {
            throw new NotSupportedException(
                $"{pool.Description}: ONNX has no adaptive pools, and {shape.Height}×{shape.Width} is no multiple of {to.Height}×{to.Width}, "
                + "so no other pool is equivalent");
        }
        if (to == 1)
            return Node(pool, $"Global{op}", [x]);
        Size2d window = new(shape.Height / to.Height, shape.Width / to.Width);
        return Node(pool, op, [x], Ints("kernel_shape", Of(window)), Ints("strides", Of(window)));
    }

    /// <summary>Written as an instance norm over groups, because GroupNormalization needs opset 21.</summary>
    string GroupNormalization(GroupNorm norm, string x, ImageShape shape)
    {
        float[] ones = new float[norm.Groups];
        Array.Fill(ones, 1);
        string groups = Reshape(norm, x, [0, norm.Groups, -1]);
        string y = Node(norm, "InstanceNormalization",
            [groups, graph.Constant(norm.NameOf("ones"), ones, norm.Groups), graph.Constant(norm.NameOf("zeros"), new float[norm.Groups], norm.Groups)],
            Float("epsilon", norm.Epsilon));
        y = Reshape(norm, y, [-1, .. Lengths(shape)]);
        long[] channels = shape.IsFlat ? [norm.Channels] : [norm.Channels, 1, 1];
        y = Node(norm, "Mul", [y, graph.Constant(norm.Weight.Name, [.. norm.Weight.Value], channels)]);
        return Node(norm, "Add", [y, graph.Constant(norm.Bias.Name, [.. norm.Bias.Value], channels)]);
    }

    /// <summary>Written as x·½·(1 + erf(x/√2)), because Gelu needs opset 20.</summary>
    string Gelu(Layer layer, string x)
    {
        string half = Node(layer, "Mul", [x, graph.Constant(layer.NameOf("half"), [0.5f])]);
        string erf = Node(layer, "Erf", [Node(layer, "Mul", [x, graph.Constant(layer.NameOf("sqrt_half"), [(float)Math.Sqrt(0.5)])])]);
        return Node(layer, "Mul", [half, Node(layer, "Add", [erf, graph.Constant(layer.NameOf("one"), [1f])])]);
    }

    string Reshape(Layer layer, string x, long[] lengths) => Node(layer, "Reshape", [x, graph.Constant(layer.NameOf("shape"), lengths)]);

    string Node(Layer layer, string op, string[] inputs, params ReadOnlySpan<Format.AttributeProto> attributes) => graph.Node(layer.Place, op, inputs, attributes);

    string Constant(Parameter parameter) => graph.Constant(parameter.Name, parameter.Value);

    static Format.AttributeProto[] Window(Window2d window) => [Ints("kernel_shape", Of(window.KernelSize)), Ints("strides", Of(window.Stride))];

    /// <summary>Padding with which a pool without ceilMode has the same output size as one with it. Runtimes do not agree on ceil_mode.</summary>
    static int[] Pads(Window2d window, ImageShape shape)
    {
        (int bottom, int right) = (After(window.Rows(shape.Height)), After(window.Columns(shape.Width)));
        return [window.Padding.Top, window.Padding.Left, bottom, right];

        int After(WindowAxis axis) => window.CeilMode ? Math.Max(0, (axis.Output - 1) * axis.Stride + axis.Span - axis.Input - axis.PadBefore) : axis.PadAfter;
    }

    static int[] Of(Size2d size) => [size.Height, size.Width];

    static int[] Of(Padding padding) => [padding.Top, padding.Left, padding.Bottom, padding.Right];

    internal static long[] Lengths(ImageShape shape) => shape.IsFlat ? [shape.Channels] : [shape.Channels, shape.Height, shape.Width];
}

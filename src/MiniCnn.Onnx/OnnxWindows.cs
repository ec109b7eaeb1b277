namespace MiniCnn.OnnxModels;

/// <summary>Imports convolutions, pools, padding and resizing.</summary>
static class OnnxWindows
{
    const int MostShuffled = 1 << 20;                            // weights of a transposed convolution that replaces a pixel shuffle: 4 MB

    public static Conv2d Conv(OnnxNode node, OnnxGraph graph, ImageShape shape)
    {
        (OnnxConstant weight, float[]? bias, Size2d kernel) = Weights(node, graph);
        (long outputs, long group) = (weight.Lengths[0], node.Int("group", 1));
        (Size2d stride, Size2d dilation) = (Pair(node, "strides"), Pair(node, "dilations"));
        if (group < 1 || group > shape.Channels || weight.Lengths[1] * group != shape.Channels || outputs < 1)
            throw node.Bad($"expects {weight.Lengths[1]}·{group} channels, but the input has {shape.Channels}");
        Conv2d layer = new(shape.Channels, (int)outputs, kernel, stride, Padding(node, shape, kernel, stride, dilation), dilation, (int)group, bias is not null);
        return Filled(node, layer, layer.Weight, layer.Bias, weight, bias);
    }

    public static ConvTranspose2d ConvTranspose(OnnxNode node, OnnxGraph graph, ImageShape shape)
    {
        (OnnxConstant weight, float[]? bias, Size2d kernel) = Weights(node, graph);
        long group = node.Int("group", 1);
        (Size2d stride, Size2d dilation) = (Pair(node, "strides"), Pair(node, "dilations"));
        if (weight.Lengths[0] != shape.Channels || group < 1 || group > shape.Channels)
            throw node.Bad($"expects {weight.Lengths[0]} channels, but the input has {shape.Channels}");
        if (node.Has("output_shape") || node.Text("auto_pad", "NOTSET") is not ("NOTSET" or "VALID"))
            throw node.Bad("with output_shape or auto_pad is not supported; explicit pads are");
        long[] extra = node.Ints("output_padding") ?? [0, 0];
        ConvTranspose2d layer = new(
            shape.Channels, checked((int)(weight.Lengths[1] * group)), kernel, stride, Pads(node, node.Ints("pads") ?? [0, 0, 0, 0]), Size(node, extra, "output_padding"), dilation,
            (int)group, bias is not null);
        return Filled(node, layer, layer.Weight, layer.Bias, weight, bias);
    }

    /// <summary>
    /// Rearranges channels into pixels: [N, C·r², H, W] → [N, C, r·H, r·W]. The layer is a transposed convolution with an r×r kernel and stride r. Each
    /// input channel has one weight of 1. A permutation of 1, 2, 3 says which axes of the split channels are C, the row and the column.
    /// </summary>
    public static ConvTranspose2d PixelShuffle(OnnxNode node, OnnxGraph graph, ImageShape shape)
    {
        long[] order = [1, 2, 3], split;
        if (node.Op == "PixelShuffle")
        {
            (split, order) = (graph.Constant(node.Input(1))!.Ints![1..], graph.Constant(node.Input(2))!.Ints!);
            if ((split[3], split[4]) != (shape.Height, shape.Width))
                throw node.Bad($"splits images of {shape} into {string.Join('×', split)}, which changes the height or width");
        }
        else
        {
            long block = Math.Clamp(node.Int("blocksize", 0), 0, shape.Channels), rest = block > 0 ? shape.Channels / block / block : 0;
            bool isDepthFirst = node.Text("mode", "DCR") == "DCR" ? true
                : node.Text("mode", "") == "CRD" ? false : throw node.Bad("has an unknown mode; DCR and CRD are supported");
            split = isDepthFirst ? [block, block, rest] : [rest, block, block];
            order = isDepthFirst ? [3, 1, 2] : order;
        }
        long channels = split[order[0] - 1], r = split[order[1] - 1];
        if (channels < 1 || r < 1 || split[order[2] - 1] != r || channels * r * r != shape.Channels)
            throw node.Bad($"splits {shape.Channels} channels into {string.Join('·', split.Take(3))}, which are not C·r·r");
        int group = order[0] == 1 ? (int)channels : 1;           // with C first, each output channel has its own input channels
        if (shape.Channels * channels / group * r * r > MostShuffled)
            throw node.Bad($"with {shape.Channels} channels takes more than {MostShuffled} weights, which is not supported");
        ConvTranspose2d layer = new(shape.Channels, (int)channels, (int)r, stride: (int)r, groups: group, bias: false);
        float[] weights = new float[layer.Weight.Length];        // [C·r², C/group, r, r]
        for (long i = 0; i < shape.Channels; i++)
        {
            long[] at = [i / split[2] / split[1], i / split[2] % split[1], i % split[2]];
            long c = group == 1 ? at[order[0] - 1] : 0;
            weights[((i * channels / group + c) * r + at[order[1] - 1]) * r + at[order[2] - 1]] = 1;
        }
        OnnxImport.Fill(layer.Weight, weights);
        layer.Freeze();
        return layer;
    }

    static (OnnxConstant Weight, float[]? Bias, Size2d Kernel) Weights(OnnxNode node, OnnxGraph graph)
    {
        OnnxConstant weight = graph.Constant(node.Input(1)) is { Floats: not null, Lengths.Length: 4 } found && found.Lengths.All(length => length > 0)
            ? found : throw node.Bad("needs constant weights [out, in, kH, kW]; only 2-D convolutions are supported");
        Size2d kernel = new((int)weight.Lengths[2], (int)weight.Lengths[3]);
        if (node.Ints("kernel_shape") is { } said && Size(node, said, "kernel_shape") != kernel)
            throw node.Bad($"has kernel_shape {string.Join("×", said)}, but its weights have {kernel}");
        float[]? bias = node.Input(2) is not string name ? null : graph.Constant(name)?.Floats ?? throw node.Bad("has a bias that is not a constant of floats");
        return (weight, bias, kernel);
    }

    static T Filled<T>(OnnxNode node, T layer, Parameter weight, Parameter? bias, OnnxConstant from, float[]? shift) where T : Layer
    {
        if (from.Count != weight.Length || (bias is not null && shift!.Length != bias.Length))
            throw node.Bad($"has {from.Count} weights and {shift?.Length ?? 0} biases, but {layer} needs {weight.Length} and {bias?.Length ?? 0}");
        OnnxImport.Fill(weight, from.Floats);
        if (bias is not null)
            OnnxImport.Fill(bias, shift);
        return layer;
    }

    public static Layer Pool(OnnxNode node, ImageShape shape)
    {
        if (node.Op is "GlobalMaxPool")
            return new AdaptiveMaxPool2d(1);
        if (node.Op is "GlobalAveragePool")
            return new AdaptiveAvgPool2d(1);
        Size2d kernel = Size(node, node.Ints("kernel_shape") ?? throw node.Bad("has no kernel_shape"), "kernel_shape");
        (Size2d stride, Size2d dilation) = (Pair(node, "strides"), Pair(node, "dilations"));
        bool ceil = node.Int("ceil_mode", 0) != 0;
        Padding padding = Padding(node, shape, kernel, stride, dilation), half = new(kernel.Height / 2, kernel.Width / 2, kernel.Height / 2, kernel.Width / 2);
        node.Requires("storage_order", 0);
        bool counts = node.Int("count_include_pad", 0) != 0 && padding != default;
        if (node.Op == "AveragePool" && dilation != 1)
            throw node.Bad("with dilations is not supported");
        return node.Op == "MaxPool" ? Pool((p, up) => new MaxPool2d(kernel, stride, p, dilation, up)) : Pool((p, up) => new AvgPool2d(kernel, stride, p, counts, up));

        // Padding of more than half a kernel at the bottom and right is the same as ceilMode, if the padding is not counted.
        Layer Pool(Func<Padding, bool, Layer> make)
        {
            Padding less = new(padding.Top, padding.Left, Math.Min(padding.Bottom, half.Bottom), Math.Min(padding.Right, half.Right));
            if (less == padding || ceil || counts)
                return make(padding, ceil);
            Layer layer = make(less, true);
            ImageShape y = layer.OutputShape(shape);
            return new Size2d(y.Height, y.Width) == new Window2d(kernel, stride, padding, dilation).OutputSize(shape.Height, shape.Width)
                ? layer : throw node.Bad($"with padding of more than half its kernel, {padding}, is not supported");
        }
    }

    public static Pad2d Pad(OnnxNode node, OnnxGraph graph)
    {
        long[] pads = node.Ints("pads") ?? graph.Constant(node.Input(1))?.Ints ?? throw node.Bad("has pads that are not constant");
        float value = node.Float("value", 0) + (graph.Constant(node.Input(2))?.AsFloats.FirstOrDefault() ?? 0);
        PaddingMode mode = node.Text("mode", "constant") switch
        {
            "constant" when value == 0 => PaddingMode.Zeros,
            "reflect" => PaddingMode.Reflect,
            "edge" => PaddingMode.Replicate,
            "wrap" => PaddingMode.Circular,
            "constant" => throw node.Bad($"with the value {value} is not supported, only with 0"),
            var other => throw node.Bad($"mode {SafeTensors.OneLine(other)} is not supported"),
        };
        if (node.Input(3) is string axes && (graph.Constant(axes)?.Ints is not { } order || !order.SequenceEqual([0L, 1, 2, 3])))
            throw node.Bad("with axes other than [0, 1, 2, 3] is not supported");
        if (pads is not [0, 0, _, _, 0, 0, _, _])
            throw node.Bad($"pads [{string.Join(", ", pads)}] are supported only for height and width");
        return new Pad2d(Pads(node, [pads[2], pads[3], pads[6], pads[7]]), mode);
    }

    public static Upsample Resize(OnnxNode node, OnnxGraph graph, ImageShape shape)
    {
        bool isOld = node.Op == "Upsample" || graph.Opset < 11;
        float[]? scales = (node.Op == "Upsample" && node.Has("scales") ? null : graph.Constant(node.Input(isOld ? 1 : 2)))?.Floats;
        if (scales is null or [] && graph.Constant(node.Input(3))?.Ints is [_, _, var height, var width])
            scales = [1, 1, (float)height / shape.Height, (float)width / shape.Width];
        if (scales is not [1, 1, var down, var right] || !IsWhole(down) || !IsWhole(right))
            throw node.Bad("needs constant integer scale factors of height and width");
        string mode = node.Text("mode", "nearest"), place = node.Text("coordinate_transformation_mode", isOld ? "asymmetric" : "half_pixel");
        string nearest = node.Text("nearest_mode", isOld ? "floor" : "round_prefer_floor");
        _ = (node.Float("cubic_coeff_a", 0), node.Float("extrapolation_value", 0), node.Text("keep_aspect_ratio_policy", ""));
        node.Requires("antialias", 0);
        node.Requires("exclude_outside", 0);
        // With integer scale factors, half_pixel with rounding selects the same pixels.
        bool isNearest = mode == "nearest" && (place == "asymmetric" && nearest == "floor" || place == "half_pixel" && nearest is "round_prefer_floor" or "round_prefer_ceil");
        bool isLinear = mode is "linear" or "bilinear" && place is "half_pixel" or "pytorch_half_pixel";
        if (!isNearest && !isLinear)
            throw node.Bad($"{SafeTensors.OneLine($"{mode}, {place}, {nearest}")} is not supported");
        return new Upsample(new Size2d((int)down, (int)right), isNearest ? UpsampleMode.Nearest : UpsampleMode.Bilinear);

        static bool IsWhole(float scale) => scale is >= 1 and <= 4096 && scale == MathF.Floor(scale);
    }

    static Size2d Pair(OnnxNode node, string name) => Size(node, node.Ints(name) ?? [1, 1], name);

    static Size2d Size(OnnxNode node, long[] values, string name) =>
        values is [>= 0 and <= int.MaxValue and var height, >= 0 and <= int.MaxValue and var width]
            ? new((int)height, (int)width) : throw node.Bad($"{name} [{string.Join(", ", values)}] is not a height and width");

    static Padding Pads(OnnxNode node, long[] pads) => pads is [var top, var left, var bottom, var right] && pads.All(pad => pad is >= -(1 << 20) and <= 1 << 20)
        ? new((int)top, (int)left, (int)bottom, (int)right) : throw node.Bad($"pads [{string.Join(", ", pads)}] are not four valid sides");

    /// <summary>
    /// Explicit padding, or that of auto_pad: SAME gives ⌈input / stride⌉ outputs. An odd pixel goes to the end for SAME_UPPER, to the beginning for
    /// SAME_LOWER.
    /// </summary>
    static Padding Padding(OnnxNode node, ImageShape shape, Size2d kernel, Size2d stride, Size2d dilation)
    {
        long[]? pads = node.Ints("pads");
        string auto = node.Text("auto_pad", "NOTSET");
        if (auto is "NOTSET" or "")
            return Pads(node, pads ?? [0, 0, 0, 0]);
        if (auto is "VALID")
            return default;
        if (auto is not ("SAME_UPPER" or "SAME_LOWER") || stride.Height < 1 || stride.Width < 1)
            throw node.Bad($"auto_pad {SafeTensors.OneLine(auto)} is not supported");
        (long rows, long columns) = (All(shape.Height, kernel.Height, stride.Height, dilation.Height), All(shape.Width, kernel.Width, stride.Width, dilation.Width));
        (long top, long left) = auto == "SAME_UPPER" ? (rows / 2, columns / 2) : (rows - rows / 2, columns - columns / 2);
        return Pads(node, [top, left, rows - top, columns - left]);

        static long All(long input, long kernel, long stride, long dilation) => Math.Max(0, ((input + stride - 1) / stride - 1) * stride + dilation * (kernel - 1) + 1 - input);
    }
}

using System.Numerics.Tensors;
using MiniCnn.OnnxModels.Format;

namespace MiniCnn.OnnxModels;

/// <summary>Converts the nodes of a graph to layers, in the order of the graph. <see cref="OnnxStructure"/> then nests these layers.</summary>
sealed class OnnxImport
{
    /// <summary>Shape and layout of a tensor of images or features.</summary>
    /// <param name="Shape">Shape of an image, channels first.</param>
    /// <param name="ChannelsLast">Whether the graph has the channels last here.</param>
    /// <param name="Flattened">For features flattened from images with the channels last: the shape of these images.</param>
    /// <param name="HasChannels">False for [batch, H, W]: one channel without an axis in the graph.</param>
    readonly record struct Data(ImageShape Shape, bool ChannelsLast = false, ImageShape? Flattened = null, bool HasChannels = true);

    const int MostChannels = 65_536;                             // that one number is broadcast to

    readonly OnnxGraph graph;
    readonly long batch;                                         // fixed batch size of the file; 0 if it is dynamic
    readonly Dictionary<string, Data> data = [];

    OnnxImport(OnnxGraph graph, ImageShape? input)
    {
        this.graph = graph;
        // Constants that do not depend on images are folded first, because Recompose needs their values.
        graph.Nodes.RemoveAll(node => graph.TryFold(node, _ => null));
        graph.Recompose();
        Input = InputShape(graph.Input, input, out bool channelsLast);
        bool hasChannels = Input.IsFlat || graph.Input.Type.TensorType.Shape?.Dim.Count != 3;
        data[graph.Input.Name] = new(Input, channelsLast, null, hasChannels);
        batch = graph.Input.Type.TensorType.Shape?.Dim is [var first, ..] ? first.DimValue : 0;
    }

    ImageShape Input { get; }

    /// <summary>Returns the network of a graph and the shape of its input images.</summary>
    public static (Layer Network, ImageShape Input) Read(ModelProto model, string folder, ImageShape? input, string? output = null)
    {
        OnnxGraph graph = new(model, folder, output);
        OnnxImport import = new(graph, input);
        return (import.Network(), import.Input);
    }

    Layer Network()
    {
        OnnxStructure structure = new(graph);
        foreach (OnnxNode node in graph.Nodes)
        {
            if (graph.TryFold(node, ShapeOf))
                continue;
            string[] images = graph.DataOf(node);
            if (images.FirstOrDefault(name => !data.ContainsKey(name)) is string unknown)
                throw node.Bad($"takes '{SafeTensors.OneLine(unknown)}', which is not the output of a layer");
            if (node.Outputs.Skip(1).FirstOrDefault(name => name is not "" && graph.UsesOf(name) > 0) is string second)
                throw node.Bad($"has a second output '{SafeTensors.OneLine(second)}' that is used; a layer has only one");
            try
            {
                (Layer[] layers, data[node.Output]) = Make(node, [.. images.Select(name => data[name])]);
                structure.Add(node, images, layers);
            }
            catch (Exception e) when (e is ArgumentException or OverflowException)     // thrown by a layer, which does not know the node
            {
                throw node.Bad(e.Message);
            }
            node.AreAllTaken();
        }
        if (!data.TryGetValue(graph.Output, out Data last))
            throw new OnnxFormatException("has a constant output");
        if (last.Flattened is { IsFlat: false, Height: > 1 } or { IsFlat: false, Width: > 1 })
            throw new OnnxFormatException("has an output of features flattened with the channels last, which no layer computes");
        return structure.Network(graph.Output);
    }

    ImageShape InputShape(ValueInfoProto input, ImageShape? given, out bool channelsLast)
    {
        string name = SafeTensors.OneLine(input.Name);
        if (input.Type?.TensorType is not { ElemType: TensorProto.Types.DataType.Float } type)
        {
            throw new OnnxFormatException(
                $"input '{name}' is of type {input.Type?.TensorType?.ElemType ?? 0}, not Float (a file saved with includePreprocessing cannot be loaded)");
        }
        long[] lengths = [.. type.Shape?.Dim.Skip(1).Select(dim => dim.DimValue) ?? []];
        // Keras has the channels last: the first node is a Transpose that moves them to the front, or a Reshape if there is one channel.
        channelsLast = graph.Nodes.Any(node => node.Inputs.FirstOrDefault() == input.Name && (node.Op == "Transpose" && node.Ints("perm") is [0, 3, 1, 2]
            || node.Op == "Reshape" && lengths is [var h, var w, 1] && graph.Constant(node.Input(1))?.Ints is [_, 1, var toH, var toW] && (h, w) == (toH, toW)));
        if (given is ImageShape shape)
            return shape;
        if (lengths.Length is < 1 or > 3 || lengths.Any(length => length is < 1 or > 1 << 20))
        {
            string text = string.Join(", ", type.Shape?.Dim.Select(dim => dim.DimParam is "" ? $"{dim.DimValue}" : SafeTensors.OneLine(dim.DimParam)) ?? ["?"]);
            throw new OnnxFormatException(
                $"input '{name}' is [{text}]; images [batch, C, H, W] or [batch, features] of known size are needed: pass the size as the input argument of Load");
        }
        return lengths switch
        {
            [var features] => ImageShape.Features((int)features),
            [var h, var w] => new(1, (int)h, (int)w),
            [var h, var w, var c] when channelsLast => new((int)c, (int)h, (int)w),
            _ => new((int)lengths[0], (int)lengths[1], (int)lengths[2]),
        };
    }

    /// <summary>Shape of a tensor in the layout of the graph, or null if it is unknown.</summary>
    long[]? ShapeOf(string name) => !data.TryGetValue(name, out Data at) ? graph.Constant(name)?.Lengths : at switch
    {
        { Shape.IsFlat: true } => [OnnxConstant.AnyBatch, at.Shape.Channels],
        { HasChannels: false } => [OnnxConstant.AnyBatch, at.Shape.Height, at.Shape.Width],
        { ChannelsLast: true } => [OnnxConstant.AnyBatch, at.Shape.Height, at.Shape.Width, at.Shape.Channels],
        _ => [OnnxConstant.AnyBatch, at.Shape.Channels, at.Shape.Height, at.Shape.Width],
    };

    /// <summary>Returns the layers of a node in order, and the shape and layout of its output.</summary>
    (Layer[] Layers, Data Y) Make(OnnxNode node, Data[] inputs)
    {
        if (inputs.Length == 0)
            throw node.Bad("computes a constant in a way that is not supported");
        Data x = inputs[0];
        switch (node.Op)
        {
            case "Add" or "Sum" or "Concat" or "Sub" when inputs.Length > 1:
                bool isLess = node.Op == "Sub";                  // the second branch is negated
                if (isLess && (inputs.Length != 2 || x.Shape.Channels > MostChannels))
                    throw node.Bad($"needs two inputs of at most {MostChannels} channels");
                return (isLess ? Affine(x.Shape, _ => -1) : [], Joined(node, inputs));
            case "Transpose" when !x.Shape.IsFlat && x.HasChannels:
                return ([], Transposed(node, x));
            case "Flatten" or "Reshape" or "Squeeze" or "Unsqueeze":
                return Reshaped(node, x);
            case "Identity" or "Dropout" or "Cast":
                if (node.Op == "Cast")
                    node.Requires("to", (long)TensorProto.Types.DataType.Float);
                if (node.Op == "Dropout" && node.Input(2) is string mode && graph.Constant(mode) is not { Ints: [0] })
                    throw node.Bad("is in training mode");
                _ = (node.Float("ratio", 0), node.Int("seed", 0), node.Int("is_test", 0));
                return ([], x);
        }
        if (inputs.Length > 1)
            throw node.Bad("takes several tensors of images; only sums, differences and concatenations are supported");
        // Elementwise layers do not depend on the layout.
        if (Curve(node, x) is { } curve)
            return ([curve], x);
        if (x.Flattened is not null && node.Op is not ("Gemm" or "MatMul"))
            throw node.Bad("is not supported on features flattened with the channels last");
        if (node.Op is "Add" or "Sub" or "Mul" or "Div")
            return (Affine(node, x), x);
        if (x.ChannelsLast || !x.HasChannels)
            throw node.Bad(x.ChannelsLast ? "is not supported with the channels last" : "is not supported on images without a channel axis");
        Layer[] layers = node.Op switch
        {
            "Conv" => [OnnxWindows.Conv(node, graph, x.Shape)],
            "ConvTranspose" => [OnnxWindows.ConvTranspose(node, graph, x.Shape)],
            "MaxPool" or "AveragePool" or "GlobalMaxPool" or "GlobalAveragePool" => [OnnxWindows.Pool(node, x.Shape)],
            "ReduceMean" => Mean(node, x.Shape),
            "Gemm" or "MatMul" => [Product(node, x)],
            "BatchNormalization" => [BatchNormalization(node, x.Shape)],
            "InstanceNormalization" => [GroupNormalization(node, x.Shape, x.Shape.Channels, Epsilon(node))],
            "GroupNormalization" => [GroupNormalization(node, x.Shape, node.Int("num_groups", 0), Epsilon(node))],
            "GroupNorm" => [GroupNorm(node, x.Shape)],
            "LayerNormalization" => [LayerNormalization(node, x.Shape)],
            "Pad" => [OnnxWindows.Pad(node, graph)],
            "Resize" or "Upsample" => [OnnxWindows.Resize(node, graph, x.Shape)],
            "DepthToSpace" or "PixelShuffle" => [OnnxWindows.PixelShuffle(node, graph, x.Shape)],
            _ => throw node.Bad("is not supported"),
        };
        return (layers, new(layers.Aggregate(x.Shape, (shape, layer) => layer.OutputShape(shape))));
    }

    static Data Joined(OnnxNode node, Data[] inputs)
    {
        if (inputs.Length != node.Inputs.Count)
            throw node.Bad("joins images and constants, which is not supported");
        if (inputs.Any(input => input.ChannelsLast != inputs[0].ChannelsLast || input.HasChannels != inputs[0].HasChannels || input.Flattened is not null))
            throw node.Bad("joins images of different layouts, which is not supported");
        if (node.Op != "Concat")
        {
            return inputs.All(input => input.Shape == inputs[0].Shape)
                ? inputs[0] : throw node.Bad($"adds {string.Join(" and ", inputs.Select(input => input.Shape))}; the shapes must be equal");
        }
        long axis = node.Int("axis", 1), channels = inputs[0].ChannelsLast || inputs[0].Shape.IsFlat ? -1 : -3;
        if (axis < 0 ? axis != channels : axis != (inputs[0].ChannelsLast ? 3 : 1))
            throw node.Bad($"axis {axis} is not supported, only the channel axis");
        if (inputs.Any(input => (input.Shape.Height, input.Shape.Width) != (inputs[0].Shape.Height, inputs[0].Shape.Width)))
            throw node.Bad($"concatenates {string.Join(" and ", inputs.Select(input => input.Shape))}; heights and widths must be equal");
        return inputs[0] with { Shape = inputs[0].Shape with { Channels = inputs.Sum(input => input.Shape.Channels) } };
    }

    static Data Transposed(OnnxNode node, Data x) => (node.Ints("perm"), x.ChannelsLast) switch
    {
        ([0, 3, 1, 2], true) => x with { ChannelsLast = false },
        ([0, 2, 3, 1], false) => x with { ChannelsLast = true },
        ([0, 1, 2, 3], _) => x,
        _ => throw node.Bad("only supports moving the channels to the front or to the back"),
    };

    /// <summary>Flatten and its equivalents with a shape, or Unflatten.</summary>
    (Layer[], Data) Reshaped(OnnxNode node, Data x)
    {
        long length = x.Shape.Length;
        long[] to;
        if (node.Op == "Flatten")
        {
            to = node.Int("axis", 1) is 1 ? [OnnxConstant.AnyBatch, length]
                : x.Shape.IsFlat && node.Int("axis", 1) == -1 ? [OnnxConstant.AnyBatch, length]
                : throw node.Bad($"axis {node.Int("axis", 1)} is not supported, only 1: all axes of an image");
        }
        else if (node.Op is "Squeeze" or "Unsqueeze")
        {
            long[] shape = ShapeOf(node.Inputs[0])!, axes = node.Ints("axes") ?? graph.Constant(node.Input(1))?.Ints ?? throw node.Bad("needs constant axes");
            bool isMore = node.Op == "Unsqueeze";
            int rank = shape.Length + (isMore ? axes.Length : 0);
            HashSet<long> ones = [.. axes.Select(axis => axis < 0 ? axis + rank : axis)];
            if (ones.Count != axes.Length || ones.Any(axis => axis < 1 || axis >= rank || !isMore && shape[axis] != 1))
                throw node.Bad($"with axes [{string.Join(", ", axes)}] is not supported");
            Queue<long> left = new(shape);
            to = isMore ? [.. Enumerable.Range(0, rank).Select(i => ones.Contains(i) ? 1 : left.Dequeue())] : [.. shape.Where((_, i) => !ones.Contains(i))];
        }
        else
        {
            long[] from = ShapeOf(node.Inputs[0])!;
            to = node.Ints("shape") ?? graph.Constant(node.Input(1))?.Ints ?? throw node.Bad("needs a constant shape");
            if (to.Contains(0))                                  // 0 copies the length, except with allowzero
                node.Requires("allowzero", 0);
            _ = node.Int("allowzero", 0);
            to = [.. to.Select((size, i) => size == 0 && i < from.Length ? from[i] : size)];
            // A leading −1 is the batch size if the other axes hold a whole image. A file with a fixed batch size has this size here.
            long known = to.Where(size => size is not (-1 or OnnxConstant.AnyBatch)).Aggregate(1L, (product, size) => product * Math.Clamp(size, 0, int.MaxValue) is var next && next > int.MaxValue ? 0 : product * size);
            if (to is [-1, ..] && known == length)
                to[0] = OnnxConstant.AnyBatch;
            else if (batch > 0 && to.Length > 0 && to[0] == batch)
                (to[0], known) = (OnnxConstant.AnyBatch, known / batch);
            if (to is [OnnxConstant.AnyBatch, ..] && Array.IndexOf(to, -1) is > 0 and var rest && known > 0 && length % known == 0)
                to[rest] = length / known;
        }
        if (to is not [OnnxConstant.AnyBatch, ..] || to.Skip(1).Any(size => size < 1) || to.Skip(1).Aggregate(1L, (product, size) => product > length ? product : product * size) != length)
            throw node.Bad($"images of {x.Shape} cannot be reshaped to [{string.Join(", ", to.Select(size => size == OnnxConstant.AnyBatch ? "batch" : $"{size}"))}]");
        bool isMap = x.Shape is { IsFlat: false, Channels: 1 };
        switch (to)
        {
            case [_, var features] when x.Shape.IsFlat && features == length:
                return ([], x);
            case [_, var features] when features == length:
                return ([new Flatten()], new(ImageShape.Features((int)length), false, x.ChannelsLast ? x.Shape : null));
            case [_, var c, var h, var w] when x is { Shape.IsFlat: true, Flattened: null }:
                ImageShape shape = new((int)c, (int)h, (int)w);
                return ([new Unflatten(shape)], new(shape));
            case [_, var c, var h, var w] when x is { ChannelsLast: false, HasChannels: true } && (c, h, w) == (x.Shape.Channels, x.Shape.Height, x.Shape.Width):
                return ([], x);
            // The axis of a single channel can be first, last or absent: the numbers have the same order.
            case [_, 1, var h, var w] when isMap && (h, w) == (x.Shape.Height, x.Shape.Width):
                return ([], new(x.Shape));
            case [_, var h, var w, 1] when isMap && (h, w) == (x.Shape.Height, x.Shape.Width):
                return ([], new(x.Shape, ChannelsLast: true));
            case [_, var h, var w] when isMap && (h, w) == (x.Shape.Height, x.Shape.Width):
                return ([], new(x.Shape, HasChannels: false));
            default:
                throw node.Bad($"no layer reshapes images of {x.Shape} to [{string.Join(", ", to.Skip(1))}]");
        }
    }

    /// <summary>Returns an elementwise activation, or a softmax over the channels; null for other operators.</summary>
    Layer? Curve(OnnxNode node, Data x)
    {
        switch (node.Op)
        {
            case "Relu":
                return new ReLU();
            case "LeakyRelu":
                return new LeakyReLU(node.Float("alpha", 0.01f));
            case "PRelu":
                float[] slopes = graph.Constant(node.Input(1))?.Floats ?? throw node.Bad("has slopes that are not constants of floats");
                return slopes.Distinct().Count() == 1 ? new LeakyReLU(slopes[0]) : throw node.Bad("has a slope for each channel, which is not supported");
            case "Sigmoid":
                return new Sigmoid();
            case "Tanh":
                return new Tanh();
            case "Silu":
                return new SiLU();
            case "Gelu":
                return node.Text("approximate", "none") == "none" ? new GELU() : throw node.Bad("with an approximation is not supported");
            case "Softmax" or "LogSoftmax":
                long axis = node.Int("axis", graph.Opset < 13 ? 1 : -1), channels = x.ChannelsLast ? 3 : 1;
                bool isChannels = x.HasChannels && (axis == channels || axis == channels - (x.Shape.IsFlat ? 2 : 4));
                // Before opset 13, the axis and all later axes form one.
                if (!isChannels || (graph.Opset < 13 && x.Shape is { IsFlat: false, Height: > 1 } or { IsFlat: false, Width: > 1 }))
                    throw node.Bad($"axis {axis} is not supported, only the channel axis, and before opset 13 only for 1×1 images");
                return node.Op == "Softmax" ? new Softmax() : new LogSoftmax();
            default:
                return null;
        }
    }

    Layer[] Mean(OnnxNode node, ImageShape shape)
    {
        long[] axes = node.Ints("axes") ?? graph.Constant(node.Input(1))?.Ints ?? throw node.Bad("needs constant axes");
        if (shape.IsFlat || !axes.Select(axis => axis < 0 ? axis + 4 : axis).Order().SequenceEqual([2L, 3]))
            throw node.Bad("over axes other than height and width is not supported");
        return node.Int("keepdims", 1) == 1 ? [new AdaptiveAvgPool2d(1)] : [new AdaptiveAvgPool2d(1), new Flatten()];
    }

    /// <summary>A product with weights [in, out], or [out, in] for a Gemm with transB.</summary>
    Linear Product(OnnxNode node, Data x)
    {
        if (!x.Shape.IsFlat)
            throw node.Bad($"takes images of {x.Shape}, but needs features [batch, features]");
        if (graph.IsConstant(node.Inputs[0]))
            throw node.Bad("has its weights as the first factor, which is not supported");
        OnnxConstant weight = graph.Constant(node.Input(1)) is { Floats: not null, Lengths.Length: 2 } found
            ? found : throw node.Bad("has weights that are not a constant matrix of floats");
        OnnxConstant? bias = graph.Constant(node.Input(2));
        float alpha = 1, beta = 1;
        bool isTurned = false;
        if (node.Op == "Gemm")
        {
            node.Requires("transA", 0);
            _ = node.Int("broadcast", 0);
            (alpha, beta, isTurned) = (node.Float("alpha", 1), node.Float("beta", 1), node.Int("transB", 0) != 0);
        }
        if (!isTurned)
            weight = OnnxFolding.Transpose(weight, [1, 0], node);
        (long outputs, long inputs) = (weight.Lengths[0], weight.Lengths[1]);
        if (inputs != x.Shape.Channels || outputs < 1)
            throw node.Bad($"expects {inputs} features, but the input has {x.Shape.Channels}");
        if (bias is not null && bias.Count != outputs && bias.Count != 1)
            throw node.Bad($"has a bias of {bias.Count} numbers for {outputs} outputs");
        Linear layer = new((int)inputs, (int)outputs, bias is not null);
        float[] values = weight.Floats!;
        if (x.Flattened is { } image)                            // [H, W, C] → [C, H, W]
            values = OnnxFolding.Transpose(new([outputs, image.Height, image.Width, image.Channels], values, null), [0, 3, 1, 2], node).Floats!;
        Fill(layer.Weight, [.. values.Select(value => alpha * value)]);
        if (bias is not null)
            Fill(layer.Bias!, [.. Enumerable.Range(0, (int)outputs).Select(i => beta * bias.AsFloats[bias.Count == 1 ? 0 : i])]);
        return layer;
    }

    BatchNorm BatchNormalization(OnnxNode node, ImageShape shape)
    {
        _ = (node.Int("is_test", 0), node.Float("momentum", 0.9f));
        node.Requires("training_mode", 0);
        node.Requires("spatial", 1);
        float[] mean = Values(node, 3, shape.Channels), variance = Values(node, 4, shape.Channels);
        BatchNorm norm = Norm<BatchNorm>(
            node, shape.Channels, epsilon => shape.IsFlat ? new BatchNorm1d(shape.Channels, epsilon) : new BatchNorm2d(shape.Channels, epsilon), Epsilon(node), n => (n.Weight, n.Bias));
        mean.CopyTo(norm.RunningMean.AsSpan());
        variance.CopyTo(norm.RunningVar.AsSpan());
        return norm;
    }

    /// <summary>From several nodes: reshape to [batch, groups, −1], normalize, reshape back, then weight and bias per channel.</summary>
    GroupNorm GroupNorm(OnnxNode node, ImageShape shape)
    {
        if (graph.Constant(node.Input(4))?.Ints is not [0 or OnnxConstant.AnyBatch, var groups, -1] || graph.Constant(node.Input(5))?.Ints is not { } back
            || !(back is [-1 or 0 or OnnxConstant.AnyBatch, .. var rest] && rest.SequenceEqual(ShapeOf(node.Inputs[0])!.Skip(1)))
            || !IsOfChannels(graph.Constant(node.Input(1))!, new(shape)) || !IsOfChannels(graph.Constant(node.Input(2))!, new(shape)))
        {
            throw node.Bad("is not a group norm written as an instance norm of groups, as exporters write it");
        }
        return GroupNormalization(node, shape, groups, graph.Constant(node.Input(3))!.Floats![0]);
    }

    GroupNorm GroupNormalization(OnnxNode node, ImageShape shape, long groups, double epsilon)
    {
        if (node.Op == "GroupNormalization")
            node.Requires("stash_type", 1);
        if (groups < 1 || groups > shape.Channels || shape.Channels % groups != 0)
            throw node.Bad($"{groups} groups do not divide {shape.Channels} channels");
        if (node.Op == "GroupNormalization" && graph.Opset < 21)
            throw node.Bad("before opset 21, with one weight per group, is not supported");
        return Norm(node, shape.Channels, e => new GroupNorm((int)groups, shape.Channels, e), epsilon, norm => (norm.Weight, norm.Bias));
    }

    LayerNorm LayerNormalization(OnnxNode node, ImageShape shape)
    {
        node.Requires("stash_type", 1);
        long axis = node.Int("axis", -1);
        if (axis != 1 && axis != (shape.IsFlat ? -1 : -3))
            throw node.Bad($"from axis {axis} on is not supported, only over the whole image");
        return Norm(node, shape.Length, epsilon => new LayerNorm(shape, epsilon), Epsilon(node), norm => (norm.Weight, norm.Bias));
    }

    /// <summary>Creates a norm after checking its weights. A missing bias is 0.</summary>
    T Norm<T>(OnnxNode node, long count, Func<double, T> make, double epsilon, Func<T, (Parameter Weight, Parameter Bias)> of) where T : Layer
    {
        float[] weight = Values(node, 1, count), bias = node.Input(2) is null ? new float[weight.Length] : Values(node, 2, count);
        T norm = make(epsilon);
        Fill(of(norm).Weight, weight);
        Fill(of(norm).Bias, bias);
        return norm;
    }

    /// <summary>The file stores a float. The conversion through decimal keeps seven digits, so that 1e-5f becomes 1e-5.</summary>
    static double Epsilon(OnnxNode node) => node.Float("epsilon", 1e-5f) is var epsilon && epsilon is > 0 and < 1
        ? (double)(decimal)epsilon : throw node.Bad($"has epsilon {epsilon}, which is not between 0 and 1");

    float[] Values(OnnxNode node, int input, long count) =>
        graph.Constant(node.Input(input))?.Floats is { } values && values.Length == count
            ? values : throw node.Bad($"needs {count} constant floats as input {input}");

    /// <summary>x·scale + shift, with one number in total or one per channel.</summary>
    Layer[] Affine(OnnxNode node, Data x)
    {
        if (node.Inputs.Count != 2)
            throw node.Bad("needs two inputs");
        bool isFirst = graph.IsConstant(node.Inputs[0]);
        OnnxConstant constant = graph.Constant(node.Inputs[isFirst ? 0 : 1])!;
        if (constant.Floats is not { } numbers)
            throw node.Bad("with a constant of integers is not supported");
        int channels = x.Shape.Channels, axes = ShapeOf(node.Inputs[isFirst ? 1 : 0])!.Length;
        if (constant.Lengths.Length > axes || !(constant.Count == 1 ? channels <= MostChannels : IsOfChannels(constant, x)))
        {
            throw node.Bad($"has a constant [{string.Join(", ", constant.Lengths)}] for images of {x.Shape}; a single number or one per channel is needed, "
                + (axes == 4 && !x.ChannelsLast ? "[C, 1, 1]" : "[C]"));
        }
        if (numbers.Length < channels)
            Array.Fill(numbers = new float[channels], constant.Floats[0]);
        return (node.Op, isFirst) switch
        {
            ("Add", _) => Affine(x.Shape, _ => 1, c => numbers[c]),
            ("Sub", false) => Affine(x.Shape, _ => 1, c => -numbers[c]),
            ("Sub", true) => Affine(x.Shape, _ => -1, c => numbers[c]),
            ("Mul", _) => Affine(x.Shape, c => numbers[c]),
            ("Div", false) => Affine(x.Shape, c => 1 / numbers[c]),
            _ => throw node.Bad("divides a constant by images, which is not supported"),
        };
    }

    /// <summary>x·scale + shift as a depthwise 1×1 convolution.</summary>
    static Layer[] Affine(ImageShape shape, Func<int, float> scale, Func<int, float>? shift = null)
    {
        Conv2d layer = new(shape.Channels, shape.Channels, 1, groups: shape.Channels, bias: shift is not null);
        Fill(layer.Weight, [.. Enumerable.Range(0, shape.Channels).Select(scale)]);
        if (shift is not null)
            Fill(layer.Bias!, [.. Enumerable.Range(0, shape.Channels).Select(shift)]);
        return shape.IsFlat ? [new Unflatten(new ImageShape(shape.Channels, 1, 1)), layer, new Flatten()] : [layer];
    }

    /// <summary>Whether there is one number per channel: [C, 1, 1] or [1, C, 1, 1] for images, [C] or [1, C] for features and with the channels last.</summary>
    static bool IsOfChannels(OnnxConstant constant, Data x)
    {
        int axes = x.Shape.IsFlat || x.ChannelsLast ? 1 : 3;
        long[] lengths = [.. constant.Lengths.SkipLast(axes), .. constant.Lengths.TakeLast(axes).Skip(1)];
        return constant.Count == x.Shape.Channels && constant.Lengths.Length >= axes && lengths.All(length => length == 1);
    }

    internal static void Fill(Parameter parameter, ReadOnlySpan<float> values) => values.CopyTo(parameter.Value.AsSpan());
}

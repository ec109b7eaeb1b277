using MiniCnn.OnnxModels.Format;

namespace MiniCnn.OnnxModels;

/// <summary>An imported graph: folds constants, and combines groups of nodes that exporters write for one layer.</summary>
sealed class OnnxGraph
{
    const int Oldest = 6, Newest = 26;                           // opsets; before 6, operators have shapes in attributes of other names
    const int MostNodes = 20_000;                                // far more than a network of this library's layers has
    const int MostNamed = 10;                                    // outputs listed in a message
    const int MostFolded = 1 << 20;                              // numbers of a folded constant, which is mostly a shape

    readonly Dictionary<string, OnnxConstant> constants = [];
    readonly Dictionary<string, int> uses = [];

    /// <param name="model">The file.</param>
    /// <param name="folder">Folder of its external data.</param>
    /// <param name="output">Name of the tensor where the network ends; null for the only output of the file.</param>
    public OnnxGraph(ModelProto model, string folder, string? output)
    {
        GraphProto graph = model.Graph ?? throw new OnnxFormatException("has no graph");
        if (model.Functions.Count > 0 || graph.SparseInitializer.Count > 0)
            throw new OnnxFormatException(model.Functions.Count > 0 ? "has functions, which are not supported" : "has sparse tensors, which are not supported");
        if (graph.Node.Count > MostNodes)
            throw new OnnxFormatException($"has {graph.Node.Count} nodes; at most {MostNodes} are supported");
        Opset = model.OpsetImport.Where(set => set.Domain is "" or "ai.onnx").Select(set => set.Version).DefaultIfEmpty(1).Max();
        if (Opset is < Oldest or > Newest)
            throw new OnnxFormatException($"has opset {Opset}; {Oldest} to {Newest} are supported");
        foreach (TensorProto tensor in graph.Initializer)
            if (!constants.TryAdd(tensor.Name, OnnxConstant.Read(tensor, folder)))
                throw new OnnxFormatException($"tensor '{SafeTensors.OneLine(tensor.Name)}' is defined twice");
        string[] outputs = [.. graph.Output.Select(value => value.Name)];
        string names = string.Join(", ", outputs.Take(MostNamed).Select(name => $"'{SafeTensors.OneLine(name)}'")) + (outputs.Length > MostNamed ? ", …" : "");
        Output = output ?? (outputs is [var y] ? y : throw new OnnxFormatException(
            $"has {outputs.Length} outputs ({names}); a network has one: pass the name of one as the output argument of Load"));
        HashSet<string> given = [.. graph.Input.Select(input => input.Name)];
        Nodes = InOrder([.. graph.Node.Select((node, i) => new OnnxNode(node, i))], given);
        ValueInfoProto[] inputs = [.. graph.Input.Where(input => !constants.ContainsKey(input.Name))];
        if (inputs.Length > 1)                                   // an input for labels is not needed if its loss is not the output
            inputs = [.. inputs.Where(input => input.Name == Output || Nodes.Any(node => node.Inputs.Contains(input.Name)))];
        if (output is not null && Nodes.Count == 0 && output != inputs.FirstOrDefault()?.Name)
            throw new OnnxFormatException($"has no output '{SafeTensors.OneLine(output)}', only {names}");
        Input = inputs is [var one] ? one : throw new OnnxFormatException($"has {inputs.Length} inputs; a network must have one");
    }

    /// <summary>
    /// The nodes that the output needs in topological order, otherwise in the order of the file. The format requires topological order, but Keras exporters
    /// did not always keep it.
    /// </summary>
    List<OnnxNode> InOrder(OnnxNode[] nodes, HashSet<string> given)
    {
        Dictionary<string, int> makers = [];
        for (int i = 0; i < nodes.Length; i++)
            foreach (string name in nodes[i].Outputs.Where(name => name is not ""))
                if (given.Contains(name) || IsConstant(name) || !makers.TryAdd(name, i))
                    throw nodes[i].Bad($"makes '{SafeTensors.OneLine(name)}', which is already defined");
        int[][] before = [.. nodes.Select(node => node.Inputs.Where(name => name is not "" && !given.Contains(name) && !IsConstant(name))
            .Select(name => makers.TryGetValue(name, out int maker) ? maker : throw node.Bad($"takes '{SafeTensors.OneLine(name)}', which no node computes"))
            .Distinct().ToArray())];
        HashSet<int> needed = [];
        Stack<int> ways = new(makers.TryGetValue(Output, out int last) ? [last] : []);
        while (ways.TryPop(out int i))
            if (needed.Add(i))
                foreach (int maker in before[i])
                    ways.Push(maker);
        ILookup<int, int> after = needed.SelectMany(i => before[i].Select(maker => (maker, i))).ToLookup(pair => pair.maker, pair => pair.i);
        int[] missing = [.. before.Select(makers => makers.Length)];
        PriorityQueue<int, int> ready = new(needed.Where(i => missing[i] == 0).Select(i => (i, i)));
        List<OnnxNode> ordered = [];
        while (ready.TryDequeue(out int i, out _))
        {
            ordered.Add(nodes[i]);
            ready.EnqueueRange(after[i].Where(next => --missing[next] == 0).Select(next => (next, next)));
        }
        return ordered.Count == needed.Count ? ordered : throw nodes[needed.First(i => missing[i] > 0)].Bad("depends on its own output");
    }

    public long Opset { get; }

    public ValueInfoProto Input { get; }

    public string Output { get; }

    /// <summary>The nodes that are not folded.</summary>
    public List<OnnxNode> Nodes { get; private set; }

    public OnnxConstant? Constant(string? name) => name is null ? null : constants.GetValueOrDefault(name);

    public bool IsConstant(string name) => constants.ContainsKey(name);

    /// <summary>Returns the names of a node's inputs that are not constants.</summary>
    public string[] DataOf(OnnxNode node) => [.. node.Inputs.Where(name => name is not "" && !IsConstant(name))];

    /// <summary>Number of nodes that take a tensor, plus one if it is the graph's output.</summary>
    public int UsesOf(string name) => uses.GetValueOrDefault(name);

    /// <summary>Folds a node if all of its inputs are constants. A Shape node is folded if <paramref name="shapeOf"/> knows the shape of its input.</summary>
    public bool TryFold(OnnxNode node, Func<string, long[]?> shapeOf)
    {
        if (node.Op == "Shape" && shapeOf(node.Inputs[0]) is long[] shape)
        {
            long start = node.Int("start", 0), end = node.Int("end", shape.Length);
            (start, end) = (Math.Clamp(start < 0 ? start + shape.Length : start, 0, shape.Length), Math.Clamp(end < 0 ? end + shape.Length : end, 0, shape.Length));
            constants[node.Output] = OnnxConstant.Of(start < end ? shape[(int)start..(int)end] : []);
            return true;
        }
        if (node.Inputs.Any(name => name is not "" && !IsConstant(name)))
            return false;
        if (OnnxFolding.Of(node, this) is not OnnxConstant made)
            return false;
        if (made.Count > MostFolded && made.Count > node.Inputs.Sum(name => Constant(name)?.Count ?? 0))
            throw node.Bad($"makes a constant of {made.Count} numbers; at most {MostFolded} are supported");
        constants[node.Output] = made;
        return true;
    }

    /// <summary>Replaces groups of nodes that form one layer. Each node of a group is used only by the next one.</summary>
    public void Recompose()
    {
        foreach (string name in Nodes.SelectMany(node => node.Inputs).Append(Output))
            uses[name] = uses.GetValueOrDefault(name) + 1;
        Dictionary<string, OnnxNode> makers = Nodes.ToDictionary(node => node.Output);
        HashSet<OnnxNode> gone = [];
        for (int i = 0; i < Nodes.Count; i++)
        {
            OnnxNode node = Nodes[i];
            OnnxNode? whole = node.Op switch
            {
                "Mul" => Silu(node) ?? Gelu(node),
                "Add" => Biased(node) ?? GroupNorm(node),
                "Log" => LogSoftmax(node),
                "Reshape" => PixelShuffle(node),
                _ => null,
            };
            if (whole is not null)
                Nodes[i] = makers[whole.Output] = whole;
        }
        Nodes = [.. Nodes.Where(node => !gone.Contains(node))];

        OnnxNode? Maker(string name, string op) => makers.TryGetValue(name, out OnnxNode? maker) && maker.Op == op ? maker : null;

        // A bias that is added after the product: [out], or [out, 1, 1] for feature maps.
        OnnxNode? Biased(OnnxNode add)
        {
            if (add.Inputs is not [string a, string b] || IsConstant(a) == IsConstant(b))
                return null;
            (string product, string bias) = IsConstant(a) ? (b, a) : (a, b);
            OnnxNode? maker = Maker(product, "MatMul") ?? Maker(product, "Conv") ?? Maker(product, "ConvTranspose");
            OnnxConstant values = Constant(bias)!;
            if (maker is null || maker.Inputs.Count != 2 || UsesOf(product) != 1 || values.Floats is null || Constant(maker.Inputs[1]) is not { } weight)
                return null;
            long outputs = maker.Op switch { "MatMul" => weight.Lengths[^1], "Conv" => weight.Lengths[0], _ => weight.Lengths.ElementAtOrDefault(1) * maker.Int("group", 1) };
            long[] lengths = [.. values.Lengths.SkipWhile(length => length == 1)];
            if (values.Count != outputs || lengths.Length > 1 && (maker.Op == "MatMul" || lengths is not [_, 1, 1]) || lengths.Length == 1 && maker.Op != "MatMul" && outputs > 1)
                return null;
            gone.Add(maker);
            return maker.With(add.Output, bias);
        }

        // log(softmax(x)), along the axis of the softmax.
        OnnxNode? LogSoftmax(OnnxNode log)
        {
            if (log.Inputs is not [string y] || Maker(y, "Softmax") is not { } softmax || UsesOf(y) != 1)
                return null;
            gone.Add(softmax);
            return softmax.As("LogSoftmax", log.Output);
        }

        // Splits the channels in three, [N, a, b, c, H, W], moves two of them next to H and W, and merges them with H and W.
        OnnxNode? PixelShuffle(OnnxNode reshape)
        {
            if (reshape.Inputs is not [string t, string last] || Maker(t, "Transpose") is not { } transpose || UsesOf(t) != 1
                || transpose.Ints("perm") is not [0, >= 1 and <= 3 and var c, 4, >= 1 and <= 3 and var row, 5, >= 1 and <= 3 and var column] || c + row + column != 6 || c == row
                || Maker(transpose.Inputs[0], "Reshape") is not { Inputs: [string x, string split] } || UsesOf(transpose.Inputs[0]) != 1
                || Constant(split)?.Ints is not [_, > 0, > 0, > 0, var h, var w] lengths || Constant(last)?.Ints is not [var batch, var channels, var height, var width]
                || batch != lengths[0] || channels != lengths[c] || height != h * lengths[row] || width != w * lengths[column])
            {
                return null;
            }
            gone.UnionWith([transpose, makers[transpose.Inputs[0]]]);
            return new("PixelShuffle", reshape, [x, split, Name(OnnxConstant.Of([c, row, column]))]);
        }

        // x · sigmoid(x).
        OnnxNode? Silu(OnnxNode mul)
        {
            if (mul.Inputs is not [string a, string b])
                return null;
            OnnxNode? sigmoid = Maker(b, "Sigmoid") is { } s && s.Inputs[0] == a ? s : Maker(a, "Sigmoid") is { } t && t.Inputs[0] == b ? t : null;
            if (sigmoid is null || UsesOf(sigmoid.Output) != 1)
                return null;
            gone.Add(sigmoid);
            return new("Silu", mul, [sigmoid.Inputs[0]]);
        }

        // x · ½ · (1 + erf(x/√2)), the factors in any order.
        OnnxNode? Gelu(OnnxNode last)
        {
            List<OnnxNode> products = [last];
            List<string> factors = [];
            for (int i = 0; i < products.Count && products.Count <= 3; i++)
                foreach (string name in products[i].Inputs)
                {
                    if (Maker(name, "Mul") is { } inner && UsesOf(name) == 1)
                        products.Add(inner);
                    else
                        factors.Add(name);
                }
            OnnxNode? add = factors.Select(name => Maker(name, "Add")).FirstOrDefault(found => found is not null);
            if (add is null || factors.Count != 3 || !factors.Any(name => IsNear(name, 0.5)) || add.Inputs.FirstOrDefault(name => !IsNear(name, 1)) is not string e
                || Maker(e, "Erf") is not { } erf || factors.FirstOrDefault(name => name != add.Output && !IsConstant(name)) is not string x)
            {
                return null;
            }
            OnnxNode? scaled = Maker(erf.Inputs[0], "Mul") ?? Maker(erf.Inputs[0], "Div");
            if (scaled is null || !scaled.Inputs.Contains(x) || !scaled.Inputs.Any(name => IsNear(name, scaled.Op == "Mul" ? Math.Sqrt(0.5) : Math.Sqrt(2))))
                return null;
            gone.UnionWith([.. products.Skip(1), add, erf, scaled]);
            return new("Gelu", last, [x]);
        }

        // Reshape to [N, groups, −1], InstanceNormalization with ones and zeros, reshape back, then weight and bias per channel.
        OnnxNode? GroupNorm(OnnxNode add)
        {
            if (add.Inputs.FirstOrDefault(name => !IsConstant(name)) is not string m || Maker(m, "Mul") is not { } mul
                || mul.Inputs.FirstOrDefault(name => !IsConstant(name)) is not string r || Maker(r, "Reshape") is not { } back
                || Maker(back.Inputs[0], "InstanceNormalization") is not { Inputs.Count: 3 } norm || Maker(norm.Inputs[0], "Reshape") is not { Inputs.Count: 2 } groups
                || back.Inputs.Count != 2
                || Constant(norm.Inputs[1]) is not { Floats: { } ones } || Constant(norm.Inputs[2]) is not { Floats: { } zeros }
                || ones.Any(value => value != 1) || zeros.Any(value => value != 0)
                || mul.Inputs.FirstOrDefault(IsConstant) is not string weight || add.Inputs.FirstOrDefault(IsConstant) is not string bias)
            {
                return null;
            }
            string epsilon = Name(new OnnxConstant([], [norm.Float("epsilon", 1e-5f)], null));
            norm.AreAllTaken();
            gone.UnionWith([mul, back, norm, groups]);
            return new("GroupNorm", add, [groups.Inputs[0], weight, bias, epsilon, groups.Inputs[1], back.Inputs[1]]);
        }

        bool IsNear(string name, double value) => Constant(name) is { Count: 1 } constant && Math.Abs(constant.AsFloats[0] - value) < 1e-6;
    }

    /// <summary>Adds a constant. Returns its unique name.</summary>
    string Name(OnnxConstant constant)
    {
        string name = $" {constants.Count}";                     // made unique below if a tensor of the file has this name
        while (!constants.TryAdd(name, constant))
            name += " ";
        return name;
    }
}

using MiniCnn.OnnxModels.Format;

namespace MiniCnn.OnnxModels;

/// <summary>A graph that is read: its constants worked out, and what exporters write in several nodes put together again.</summary>
sealed class OnnxGraph
{
    const int Oldest = 6, Newest = 26;                           // opsets; before 6 operators took a shape's numbers as attributes of other names
    const int MostNodes = 20_000;                                // far more than a network of this library's layers has
    const int MostFolded = 1 << 20;                              // numbers of a constant that is worked out and not stored: shapes, mostly

    readonly Dictionary<string, OnnxConstant> constants = [];
    readonly Dictionary<string, int> uses = [];

    public OnnxGraph(ModelProto model, string folder)
    {
        GraphProto graph = model.Graph ?? throw new OnnxFormatException("holds no graph");
        if (model.Functions.Count > 0 || graph.SparseInitializer.Count > 0)
            throw new OnnxFormatException(model.Functions.Count > 0 ? "holds functions, which are not supported" : "holds sparse tensors, which are not supported");
        if (graph.Node.Count > MostNodes)
            throw new OnnxFormatException($"holds {graph.Node.Count} nodes; up to {MostNodes} are read");
        Opset = model.OpsetImport.Where(set => set.Domain is "" or "ai.onnx").Select(set => set.Version).DefaultIfEmpty(1).Max();
        if (Opset is < Oldest or > Newest)
            throw new OnnxFormatException($"is of opset {Opset}; {Oldest} to {Newest} are read");
        foreach (TensorProto tensor in graph.Initializer)
            if (!constants.TryAdd(tensor.Name, OnnxConstant.Read(tensor, folder)))
                throw new OnnxFormatException($"tensor '{SafeTensors.OneLine(tensor.Name)}' is there twice");
        ValueInfoProto[] inputs = [.. graph.Input.Where(input => !constants.ContainsKey(input.Name))];
        Input = inputs is [var one] ? one : throw new OnnxFormatException($"has {inputs.Length} inputs; a network has one");
        Output = graph.Output is [var y] ? y.Name : throw new OnnxFormatException($"has {graph.Output.Count} outputs; a network has one");
        Nodes = [.. graph.Node.Select((node, i) => new OnnxNode(node, i))];
        HashSet<string> made = [Input.Name, .. constants.Keys];
        foreach (OnnxNode node in Nodes)
        {
            foreach (string name in node.Inputs.Where(name => name is not "" && !made.Contains(name)))
                throw node.Bad($"takes '{SafeTensors.OneLine(name)}', which nothing before it makes");
            foreach (string name in node.Outputs.Where(name => name is not "" && !made.Add(name)))
                throw node.Bad($"makes '{SafeTensors.OneLine(name)}', which is there already");
        }
    }

    public long Opset { get; }

    public ValueInfoProto Input { get; }

    public string Output { get; }

    /// <summary>Those that are not worked out yet.</summary>
    public List<OnnxNode> Nodes { get; private set; }

    public OnnxConstant? Constant(string? name) => name is null ? null : constants.GetValueOrDefault(name);

    public bool IsConstant(string name) => constants.ContainsKey(name);

    /// <summary>The names of a node's inputs that are images, not constants.</summary>
    public string[] DataOf(OnnxNode node) => [.. node.Inputs.Where(name => name is not "" && !IsConstant(name))];

    /// <summary>How many nodes take a tensor; one more for the graph's output.</summary>
    public int UsesOf(string name) => uses.GetValueOrDefault(name);

    /// <summary>Works out a node whose inputs are all known; a shape of images, which is not stored, is told by a caller who knows it.</summary>
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
            throw node.Bad($"makes a constant of {made.Count} numbers");
        constants[node.Output] = made;
        return true;
    }

    /// <summary>Puts together what is one layer: nodes that follow one another, each used by the next alone.</summary>
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
                _ => null,
            };
            if (whole is not null)
                Nodes[i] = makers[whole.Output] = whole;
        }
        Nodes = [.. Nodes.Where(node => !gone.Contains(node))];

        OnnxNode? Maker(string name, string op) => makers.TryGetValue(name, out OnnxNode? maker) && maker.Op == op ? maker : null;

        // A bias that is added after the product: [out], or [out, 1, 1] of maps.
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

        // Reshape to [N, groups, −1], InstanceNormalization with ones and zeros, back, and then each channel's weight and bias.
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

    /// <summary>Keeps a constant under a name of its own.</summary>
    string Name(OnnxConstant constant)
    {
        string name = $" {constants.Count}";                     // no file's: these are longer or do not begin so
        while (!constants.TryAdd(name, constant))
            name += " ";
        return name;
    }
}

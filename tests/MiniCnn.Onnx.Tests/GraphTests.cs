using System.Numerics.Tensors;
using Google.Protobuf;
using MiniCnn.OnnxModels;
using MiniCnn.OnnxModels.Format;
using static MiniCnn.OnnxModels.OnnxWriter;

namespace MiniCnn.Tests;

/// <summary>Graphs as other exporters write them, node by node: what is read of them computes what ONNX Runtime does.</summary>
public sealed class GraphTests : IDisposable
{
    readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    /// <summary>A graph in the making, with numbers drawn at random.</summary>
    sealed class Graph
    {
        readonly Random random = new(3);

        public OnnxWriter Writer { get; } = new();

        public string Node(string op, string[] inputs, params AttributeProto[] attributes) => Writer.Node("", op, inputs, attributes);

        public string Numbers(params long[] lengths) => Writer.Constant("c", Draw(lengths), lengths);

        public float[] Draw(params long[] lengths) => [.. Enumerable.Range(0, (int)lengths.Aggregate(1L, (a, b) => a * b)).Select(_ => 2 * random.NextSingle() - 1)];

        public string Whole(params long[] values) => Writer.Constant("i", values);

        public string Conv(string x, int from, int to, params AttributeProto[] attributes) => Node("Conv", [x, Numbers(to, from, 3, 2)], attributes);
    }

    static readonly Dictionary<string, (int[] Input, Func<Graph, string> Build)> graphs = new()
    {
        // As tf2onnx writes Keras: channels last outside, first inside; the weights after a Flatten are in the order of channels that are last.
        ["channels last"] = ([6, 8, 3], g =>
        {
            string x = g.Conv(g.Node("Transpose", ["x"], Ints("perm", 0, 3, 1, 2)), 3, 4);
            x = g.Node("Relu", [g.Node("Transpose", [x], Ints("perm", 0, 2, 3, 1))]);
            x = g.Node("MatMul", [g.Node("Reshape", [x, g.Whole(-1, 4 * 7 * 4)]), g.Numbers(4 * 7 * 4, 5)]);
            return g.Node("Softmax", [g.Node("Add", [x, g.Numbers(5)])], Int("axis", -1));
        }
        ),
        ["same upper"] = ([3, 9, 10], g => g.Conv(g.Conv("x", 3, 4, Text("auto_pad", "SAME_UPPER"), Ints("strides", 2, 3)), 4, 2, Text("auto_pad", "SAME_UPPER"))),
        ["same lower"] = ([3, 9, 10], g => g.Conv("x", 3, 4, Text("auto_pad", "SAME_LOWER"), Ints("strides", 2, 1))),
        ["valid"] = ([3, 9, 10], g => g.Conv("x", 3, 4, Text("auto_pad", "VALID"))),
        ["pools of the same size"] = ([2, 7, 8], g => g.Node("AveragePool", [g.Node("MaxPool", ["x"], Text("auto_pad", "SAME_UPPER"), Ints("kernel_shape", 3, 2), Ints("strides", 2, 1))],
            Text("auto_pad", "SAME_UPPER"), Ints("kernel_shape", 2, 3), Ints("strides", 1, 2))),
        ["a number for each channel"] = ([3, 4, 5], g => g.Node("Add", [g.Node("Mul", [g.Node("Div", [g.Node("Sub", ["x", g.Numbers(3, 1, 1)]), g.Numbers()]), g.Numbers(1, 3, 1, 1)]), g.Numbers(3, 1, 1)])),
        ["a number before"] = ([3, 4, 5], g => g.Node("Sub", [g.Numbers(3, 1, 1), "x"])),
        ["a bias after the convolution"] = ([3, 6, 5], g => g.Node("Add", [g.Numbers(1, 4, 1, 1), g.Conv("x", 3, 4)])),
        ["a bias after the transposed one"] = ([4, 6, 5], g => g.Node("Add", [g.Node("ConvTranspose", ["x", g.Numbers(4, 3, 2, 3)], Ints("strides", 2, 1), Int("group", 2)), g.Numbers(6, 1, 1)])),
        ["a convolution used twice"] = ([3, 6, 5], g =>
        {
            string y = g.Conv("x", 3, 4);
            return g.Node("Add", [g.Node("Add", [y, g.Numbers(4, 1, 1)]), y]);
        }
        ),
        ["a product and its bias"] = ([7], g => g.Node("Add", [g.Node("MatMul", ["x", g.Numbers(7, 4)]), g.Numbers(4)])),
        ["a product of factors"] = ([7], g => g.Node("Gemm", ["x", g.Numbers(4, 7), g.Numbers(4)], Int("transB", 1), Float("alpha", 0.5), Float("beta", 2))),
        ["one slope"] = ([3, 4, 5], g => g.Node("PRelu", ["x", g.Writer.Constant("s", [0.2f, 0.2f, 0.2f], 3, 1, 1)])),
        ["the largest of each map"] = ([3, 4, 5], g => g.Node("MatMul", [g.Node("Squeeze", [g.Node("GlobalMaxPool", ["x"]), g.Whole(2, -1)]), g.Numbers(3, 2)])),
        ["means kept and not"] = ([3, 4, 5], g => g.Node("Flatten", [g.Node("ReduceMean", ["x"], Ints("axes", -2, -1))])),
        ["a sum of branches"] = ([3, 4, 5], g => g.Node("Sum", [g.Node("Relu", ["x"]), g.Node("Sigmoid", [g.Node("Tanh", ["x"])])])),
        ["twice itself"] = ([3, 4, 5], g => g.Node("Add", ["x", "x"])),
        ["side by side"] = ([3, 4, 5], g => g.Node("Concat", [g.Node("Relu", ["x"]), "x", g.Node("Concat", ["x", g.Node("Tanh", ["x"])], Int("axis", 1))], Int("axis", -3))),
        ["branches in branches"] = ([3, 4, 5], g =>
        {
            string a = g.Node("Relu", ["x"]), b = g.Node("Add", [g.Node("Tanh", [a]), a]);
            return g.Node("Add", [g.Node("Sigmoid", [b]), g.Node("LeakyRelu", ["x"], Float("alpha", 0.3))]);
        }
        ),
        ["an instance norm"] = ([3, 4, 5], g => g.Node("InstanceNormalization", ["x", g.Numbers(3), g.Numbers(3)], Float("epsilon", 1e-3))),
        ["features and back"] = ([3, 4, 5], g => g.Node("Relu", [g.Node("Reshape", [g.Node("Reshape", ["x", g.Whole(0, -1)]), g.Whole(-1, 5, 4, 3)])])),
        ["a shape worked out"] = ([3, 4, 5], g =>
        {
            string n = g.Node("Unsqueeze", [g.Node("Gather", [g.Node("Shape", ["x"]), g.Writer.Constant("zero", [0L])]), g.Whole(0)]);
            n = g.Node("Squeeze", [n, g.Whole(0)]);
            return g.Node("MatMul", [g.Node("Reshape", ["x", g.Node("Concat", [n, g.Whole(-1)], Int("axis", 0))]), g.Numbers(60, 2)]);
        }
        ),
        ["weights turned and of twice the size"] = ([7], g => g.Node("MatMul", ["x", g.Node("Mul", [g.Node("Transpose", [g.Numbers(4, 7)], Ints("perm", 1, 0)), g.Writer.Constant("two", [2f])])])),
        // Keras and PyTorch where there is one channel: its axis is put in, left out or moved by a Reshape.
        ["one channel, last"] = ([8, 6, 1], g => g.Node("Reshape", [g.Conv(g.Node("Reshape", ["x", g.Whole(-1, 1, 8, 6)]), 1, 1), g.Whole(-1, 6, 5, 1)])),
        ["no axis of channels"] = ([8, 6], g => g.Conv(g.Node("Unsqueeze", [g.Node("Relu", ["x"]), g.Whole(1)]), 1, 4)),
        ["no axis of channels, flat"] = ([8, 6], g => g.Node("MatMul", [g.Node("Flatten", ["x"]), g.Numbers(48, 4)])),
        ["a bias of channels that are last"] = ([3, 6, 5], g => g.Node("Transpose",
            [g.Node("Relu", [g.Node("Add", [g.Node("Transpose", [g.Conv("x", 3, 4)], Ints("perm", 0, 2, 3, 1)), g.Numbers(4)])])], Ints("perm", 0, 3, 1, 2))),
        ["channels last to the end"] = ([3, 6, 5], g => g.Node("Relu", [g.Node("Transpose", [g.Conv("x", 3, 4)], Ints("perm", 0, 2, 3, 1))])),
        ["log of softmax"] = ([3, 4, 5], g => g.Node("Log", [g.Node("Softmax", ["x"], Int("axis", 1))])),
        ["pixels shuffled"] = ([12, 4, 5], g => Shuffle(g, [2, 3, 2], [0, 2, 4, 1, 5, 3], [3, 8, 10])),
        ["pixels shuffled as PyTorch does"] = ([12, 4, 5], g => Shuffle(g, [3, 2, 2], [0, 1, 4, 2, 5, 3], [3, 8, 10])),
        ["depth to space"] = ([12, 4, 5], g => g.Node("DepthToSpace", ["x"], Int("blocksize", 2))),
        ["depth to space by columns"] = ([12, 4, 5], g => g.Node("DepthToSpace", ["x"], Int("blocksize", 2), Text("mode", "CRD"))),
        ["a difference"] = ([3, 6, 5], g => g.Node("Sub", [g.Node("Tanh", ["x"]), g.Node("Relu", ["x"])])),
        ["less its noise"] = ([3, 6, 5], g => g.Node("Sub", ["x", g.Conv(g.Node("Relu", ["x"]), 3, 3, Ints("pads", 1, 0, 1, 1))])),
        ["a number for each feature"] = ([7], g => g.Node("Add", [g.Node("Mul", [g.Node("Tanh", ["x"]), g.Numbers(7)]), g.Numbers(1, 7)])),
        ["a shape without zeros"] = ([3, 4, 5], g => g.Node("MatMul", [g.Node("Reshape", ["x", g.Whole(-1, 60)], Int("allowzero", 1)), g.Numbers(60, 2)])),
        ["enlarged"] = ([2, 4, 5], g => g.Node("Resize", ["x", "", g.Writer.Constant("s", [1, 1, 2, 3], 4)], Text("mode", "nearest"), Text("nearest_mode", "round_prefer_floor"), Text("coordinate_transformation_mode", "half_pixel"))),
    };

    static string Shuffle(Graph g, long[] split, int[] order, long[] to) => g.Node(
        "Reshape", [g.Node("Transpose", [g.Node("Reshape", ["x", g.Whole([-1, .. split, 4, 5])])], Ints("perm", order)), g.Whole([-1, .. to])]);

    public static TheoryData<string> Names => [.. graphs.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_read_computes_what_ONNX_Runtime_does(string name)
    {
        Write(name, type: null);
        AssertSame(name);
    }

    /// <summary>Of less and of more precision.</summary>
    [Theory]
    [InlineData(nameof(TensorProto.Types.DataType.Float16))]
    [InlineData(nameof(TensorProto.Types.DataType.Bfloat16))]
    [InlineData(nameof(TensorProto.Types.DataType.Double))]
    public void Weights_of_other_precision_are_converted(string name)
    {
        TensorProto.Types.DataType type = Enum.Parse<TensorProto.Types.DataType>(name);
        Write("a product of factors", type: null);
        float[] exact = [.. OnnxModel.Load(path).Network.Parameters[0].Value];
        Write("a product of factors", type);
        float[] read = [.. OnnxModel.Load(path).Network.Parameters[0].Value];
        double precision = type switch { TensorProto.Types.DataType.Double => 0, TensorProto.Types.DataType.Float16 => 1e-3, _ => 1e-2 };
        Assert.Equal(exact.Length, read.Length);
        for (int i = 0; i < exact.Length; i++)
            Assert.Equal(exact[i], read[i], precision * Math.Abs(exact[i]) + 1e-7);
    }

    /// <summary>What would be another function than the graph's is refused, not guessed.</summary>
    [Theory]
    [InlineData("weights of columns", "a single number or one per channel is needed")]
    [InlineData("a slope each", "a slope for each channel")]
    [InlineData("groups put back otherwise", "instance norm of groups")]
    [InlineData("a weight of columns after groups", "instance norm of groups")]
    [InlineData("a bias of columns after groups", "instance norm of groups")]
    [InlineData("groups with a scale", "no layer reshapes")]
    [InlineData("columns beside each other", "only the channel axis")]
    [InlineData("a border of ones", "only with 0")]
    [InlineData("rows beside each other", "only the channel axis")]
    [InlineData("a branch used twice", "is part of several branches")]
    [InlineData("features of channels last", "features flattened with the channels last")]
    [InlineData("rows of one channel that is last", "only the channel axis")]
    [InlineData("pixels of half as many images", "no layer reshapes")]
    [InlineData("a scale of features of channels last", "is not supported on features flattened with the channels last")]
    [InlineData("rows of images without channels", "only the channel axis")]
    [InlineData("an axis more than there are", "a single number or one per channel is needed")]
    [InlineData("pixels of other images", "no layer reshapes")]
    [InlineData("pixels of turned images", "splits images of 12×4×5 into 3×2×2×5×4")]
    [InlineData("too many channels", "takes more than 1048576 weights")]
    [InlineData("a depth that does not divide", "splits 12 channels into 5·5·0")]
    [InlineData("a shape of zeros", "allowzero 1")]
    [InlineData("a dropout that drops", "is in training mode")]
    [InlineData("a sum with nothing", "computes a constant in a way that is not supported")]
    [InlineData("a convolution on channels last", "is not supported with the channels last")]
    public void Another_function_is_refused(string name, string says)
    {
        (int[] Input, Func<Graph, string> Build) graph = name switch
        {
            "weights of columns" => ([3, 4, 3], g => g.Node("Mul", ["x", g.Numbers(1, 1, 3)])),
            "a slope each" => ([2, 4, 5], g => g.Node("PRelu", ["x", g.Numbers(2, 1, 1)])),
            "groups put back otherwise" => ([4, 6, 5], g => Groups(g, [0, 4, 5, 6], [4, 1, 1], [4, 1, 1])),
            "a weight of columns after groups" => ([4, 6, 4], g => Groups(g, [0, 4, 6, 4], [1, 1, 4], [4, 1, 1])),
            "a bias of columns after groups" => ([4, 6, 4], g => Groups(g, [0, 4, 6, 4], [4, 1, 1], [1, 1, 4])),
            "groups with a scale" => ([4, 6, 5], g => Groups(g, [0, 4, 6, 5], [4, 1, 1], [4, 1, 1], scale: 2)),
            "columns beside each other" => ([2, 4, 5], g => g.Node("Concat", ["x", g.Node("Relu", ["x"])], Int("axis", -1))),
            "a border of ones" => ([2, 4, 5], g => g.Node("Pad", ["x", g.Whole(0, 0, 1, 1, 0, 0, 1, 1), g.Writer.Constant("one", [1f])])),
            "rows beside each other" => ([2, 4, 5], g => g.Node("Concat", ["x", g.Node("Relu", ["x"])], Int("axis", 2))),
            "a branch used twice" => ([2, 4, 5], g =>
            {
                string a = g.Node("Relu", ["x"]), b = g.Node("Concat", ["x", a], Int("axis", 1));
                return g.Node("Concat", ["x", a, g.Node("Tanh", [b])], Int("axis", 1));
            }
            ),
            "features of channels last" => ([3, 4, 5], Last),
            "a scale of features of channels last" => ([3, 4, 5], g => g.Node("MatMul", [g.Node("Mul", [Last(g), g.Numbers(60)]), g.Numbers(60, 2)])),
            "rows of images without channels" => ([4, 5], g => g.Node("Softmax", ["x"], Int("axis", 1))),
            "an axis more than there are" => ([4, 5], g => g.Node("Mul", ["x", g.Numbers(1, 1, 1, 1)])),
            "pixels of other images" => ([12, 4, 5], g => Shuffle(g, [3, 2, 2], [0, 1, 4, 2, 5, 3], [6, 4, 10])),
            "rows of one channel that is last" => ([1, 4, 5], g => g.Node("Softmax", [g.Node("Reshape", ["x", g.Whole(-1, 4, 5, 1)])], Int("axis", 1))),
            "pixels of half as many images" => ([12, 4, 5], g => Shuffle(g, [3, 2, 2], [0, 1, 4, 2, 5, 3], [6, 8, 10])),
            "pixels of turned images" => ([12, 4, 5], g => g.Node("Reshape",
                [g.Node("Transpose", [g.Node("Reshape", ["x", g.Whole(-1, 3, 2, 2, 5, 4)])], Ints("perm", 0, 1, 4, 2, 5, 3)), g.Whole(-1, 3, 10, 8)])),
            "too many channels" => ([4096, 1, 1], g => g.Node("DepthToSpace", ["x"], Int("blocksize", 2))),
            "a depth that does not divide" => ([12, 4, 5], g => g.Node("DepthToSpace", ["x"], Int("blocksize", 5))),
            "a dropout that drops" => ([3, 4, 5], g => g.Node("Dropout", ["x", g.Writer.Constant("half", [0.5f]), g.Whole(1)])),
            "a sum with nothing" => ([3, 4, 5], g => g.Node("Add", ["x", g.Node("Add", [g.Numbers(0), g.Numbers()])])),
            "a shape of zeros" => ([3, 4, 5], g => g.Node("Reshape", ["x", g.Whole(0, 60)], Int("allowzero", 1))),
            _ => ([3, 4, 5], g => g.Conv(g.Node("Transpose", ["x"], Ints("perm", 0, 2, 3, 1)), 5, 2)),
        };
        Write(graph, null);
        string message = Assert.Throws<OnnxFormatException>(() => OnnxModel.Load(path)).Message;
        Assert.Contains(says, message, StringComparison.Ordinal);

        static string Last(Graph g) => g.Node("Flatten", [g.Node("Transpose", ["x"], Ints("perm", 0, 2, 3, 1))]);

        static string Groups(Graph g, long[] back, long[] weight, long[] bias, float scale = 1)
        {
            string y = g.Node("InstanceNormalization", [g.Node("Reshape", ["x", g.Whole(0, 2, -1)]), g.Writer.Constant("ones", [1f, scale], 2), g.Writer.Constant("zeros", [0f, 0f], 2)]);
            y = g.Node("Reshape", [y, g.Whole(back)]);
            return g.Node("Add", [g.Node("Mul", [y, g.Numbers(weight)]), g.Numbers(bias)]);
        }
    }

    /// <summary>The format asks for an order; exporters of Keras did not always keep it.</summary>
    [Fact]
    public void Nodes_in_another_order_are_the_same_network()
    {
        Write("branches in branches", null);
        Change(graph =>
        {
            NodeProto[] nodes = [.. graph.Node];
            graph.Node.Clear();
            graph.Node.Add(nodes.Reverse());
        });
        AssertSame("branches in branches");
    }

    [Fact]
    public void A_node_that_takes_its_own_output_is_refused()
    {
        Write("branches in branches", null);
        Change(graph => graph.Node[0].Input[0] = graph.Node[^1].Output[0]);
        Assert.Contains("depends on its own output", Assert.Throws<OnnxFormatException>(() => OnnxModel.Load(path)).Message, StringComparison.Ordinal);
        Change(graph => graph.Node[0].Input[0] = "y?");
        Assert.Contains("takes 'y?', which no node computes", Assert.Throws<OnnxFormatException>(() => OnnxModel.Load(path)).Message, StringComparison.Ordinal);
        Change(graph => (graph.Node[0].Input[0], graph.Node[0].Output[0]) = ("x", "x"));
        Assert.Contains("makes 'x', which is already defined", Assert.Throws<OnnxFormatException>(() => OnnxModel.Load(path)).Message, StringComparison.Ordinal);
    }

    /// <summary>Of a file with several outputs, or of any tensor in it, the network is what leads there: a loss and its labels are not.</summary>
    [Fact]
    public void An_output_is_chosen_by_its_name()
    {
        string inner = "";
        Write(([3, 4, 5], g => g.Node("Relu", [inner = g.Node("Tanh", ["x"])])), null);
        string y = "";
        Change(graph =>
        {
            y = graph.Output[0].Name;
            graph.Input.Add(new ValueInfoProto(graph.Input[0]) { Name = "labels" });
            graph.Node.Add(new NodeProto { OpType = "Sub", Input = { y, "labels" }, Output = { "loss" } });
            graph.Output.Add(new ValueInfoProto { Name = "loss" });
        });
        string message = Assert.Throws<OnnxFormatException>(() => OnnxModel.Load(path)).Message;
        Assert.Contains($"has 2 outputs ('{y}', 'loss'); a network has one: pass the name of one as the output argument of Load", message, StringComparison.Ordinal);
        Assert.Contains("has 2 inputs", Assert.Throws<OnnxFormatException>(() => OnnxModel.Load(path, output: "loss")).Message, StringComparison.Ordinal);
        Assert.Contains($"has no output 'z', only '{y}', 'loss'", Assert.Throws<OnnxFormatException>(() => OnnxModel.Load(path, output: "z")).Message, StringComparison.Ordinal);
        Assert.Equal([typeof(Tanh), typeof(ReLU)], ((Sequential)OnnxModel.Load(path, output: y).Network).Layers.Select(layer => layer.GetType()));
        Assert.Equal([typeof(Tanh)], ((Sequential)OnnxModel.Load(path, output: inner).Network).Layers.Select(layer => layer.GetType()));
    }

    void Change(Action<GraphProto> change)
    {
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        change(model.Graph);
        File.WriteAllBytes(path, model.ToByteArray());
    }

    void Write(string name, TensorProto.Types.DataType? type) => Write(graphs[name], type);

    void Write((int[] Input, Func<Graph, string> Build) of, TensorProto.Types.DataType? type)
    {
        Graph graph = new();
        string y = of.Build(graph);
        ModelProto model = graph.Writer.ToModel(Value("x", TensorProto.Types.DataType.Float, of.Input), new() { Name = y, Type = new() { TensorType = new() { ElemType = TensorProto.Types.DataType.Float } } }, []);
        foreach (TensorProto tensor in model.Graph.Initializer.Where(tensor => type is not null && tensor.DataType == TensorProto.Types.DataType.Float))
        {
            float[] values = [.. OnnxConstant.Read(tensor, "").Floats!];
            (tensor.DataType, tensor.RawData) = (type!.Value, ByteString.CopyFrom([.. values.SelectMany(value => type switch
            {
                TensorProto.Types.DataType.Double => BitConverter.GetBytes((double)value),
                TensorProto.Types.DataType.Float16 => BitConverter.GetBytes((Half)value),
                _ => BitConverter.GetBytes((ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)),
            })]));
        }
        File.WriteAllBytes(path, model.ToByteArray());
    }

    void AssertSame(string name)
    {
        OnnxModel model = OnnxModel.Load(path);
        Graph graph = new();
        int[] lengths = graphs[name].Input;
        float[] numbers = graph.Draw([3, .. lengths]);
        float[] theirs = Runtime.Run<float>(path, numbers, [3, .. lengths]);
        // A file with channels last says so in its input alone; the network takes them first.
        float[] x = name == "channels last" ? OnnxFolding.Transpose(new([3, .. lengths], numbers, null), [0, 3, 1, 2], null!).Floats! : numbers;
        if (name == "channels last to the end")
            theirs = OnnxFolding.Transpose(new([3, 4, 4, 4], theirs, null), [0, 3, 1, 2], null!).Floats!;
        float[] ours = [.. model.Network.Forward(Tensor.Create(x, LayerSession.Lengths((int)(x.Length / model.Input.Length), model.Input)))];
        Assert.Equal(theirs.Length, ours.Length);
        double most = theirs.Max(Math.Abs);
        for (int i = 0; i < ours.Length; i++)
            Assert.Equal(theirs[i], ours[i], 1e-5 * most);
    }
}

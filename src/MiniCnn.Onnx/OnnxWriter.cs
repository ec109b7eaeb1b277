using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Google.Protobuf;
using MiniCnn.OnnxModels.Format;

namespace MiniCnn.OnnxModels;

/// <summary>Builds a graph: nodes and constants, each named after its layer.</summary>
sealed class OnnxWriter
{
    // LayerNormalization came with opset 17, which runtimes support since 2022. Circular padding came with opset 19.
    const int Opset = 17, OpsetOfWrap = 19;

    readonly GraphProto graph = new() { Name = "network" };
    readonly HashSet<string> names = [];
    int opset = Opset;

    /// <summary>The content of the file: the graph with one input and one output, both with a dynamic batch size.</summary>
    public ModelProto ToModel(ValueInfoProto input, ValueInfoProto output, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        graph.Input.Add(input);
        graph.Output.Add(output);
        ModelProto model = new()
        {
            IrVersion = opset == Opset ? 8 : 9,                  // IR version of the opset's release
            ProducerName = "MiniCnn",
            ProducerVersion = typeof(Layer).Assembly.GetName().Version!.ToString(3),
            Graph = graph,
            OpsetImport = { new OperatorSetIdProto { Version = opset } },
        };
        model.MetadataProps.AddRange(metadata.Select(pair => new StringStringEntryProto { Key = pair.Key, Value = pair.Value }));
        return model;
    }

    /// <summary>An input or output tensor with a dynamic first axis.</summary>
    public static ValueInfoProto Value(string name, TensorProto.Types.DataType type, params ReadOnlySpan<int> lengths)
    {
        TensorShapeProto shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "batch" } } };
        foreach (int length in lengths)
            shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = length });
        return new() { Name = name, Type = new() { TensorType = new() { ElemType = type, Shape = shape } } };
    }

    /// <summary>Adds a node. Returns the name of its output.</summary>
    public string Node(string place, string op, string[] inputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        string name = Free($"{place}{(place is "" ? "" : ".")}{op}");
        NodeProto node = new() { Name = name, OpType = op, Input = { inputs }, Output = { name } };
        foreach (AttributeProto attribute in attributes)
            node.Attribute.Add(attribute);
        graph.Node.Add(node);
        return name;
    }

    /// <summary>Renames a node's output to the graph's output name.</summary>
    public void Rename(string from, string to)
    {
        foreach (NodeProto node in graph.Node)
            for (int i = 0; i < node.Output.Count; i++)
                node.Output[i] = node.Output[i] == from ? to : node.Output[i];
    }

    /// <summary>Adds a constant tensor. Returns its name.</summary>
    public string Constant(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> lengths) =>
        Constant(name, TensorProto.Types.DataType.Float, MemoryMarshal.AsBytes(values), lengths);

    public string Constant(string name, ReadOnlySpan<long> values) => Constant(name, TensorProto.Types.DataType.Int64, MemoryMarshal.AsBytes(values), [values.Length]);

    public string Constant(string name, Tensor<float> values) => Constant(name, [.. values], [.. values.Lengths.ToArray().Select(length => (long)length)]);

    string Constant(string name, TensorProto.Types.DataType type, ReadOnlySpan<byte> bytes, ReadOnlySpan<long> lengths)
    {
        name = Free(name);
        graph.Initializer.Add(new TensorProto { Name = name, DataType = type, Dims = { lengths.ToArray() }, RawData = ByteString.CopyFrom(bytes) });
        return name;
    }

    /// <summary>A unique name: the given one, or the first unused of name_2, name_3, ….</summary>
    string Free(string name)
    {
        string free = name;
        for (int i = 2; !names.Add(free); i++)
            free = $"{name}_{i}";
        return free;
    }

    /// <summary>ONNX's name of a padding mode. Circular padding raises the opset.</summary>
    public string ModeOf(PaddingMode mode)
    {
        if (mode == PaddingMode.Circular)
            opset = OpsetOfWrap;
        return mode switch { PaddingMode.Zeros => "constant", PaddingMode.Reflect => "reflect", PaddingMode.Replicate => "edge", _ => "wrap" };
    }

    public static AttributeProto Int(string name, long value) => new() { Name = name, Type = AttributeProto.Types.Type.Int, I = value };

    public static AttributeProto Ints(string name, params ReadOnlySpan<int> values) =>
        new() { Name = name, Type = AttributeProto.Types.Type.Ints, Ints = { values.ToArray().Select(value => (long)value) } };

    public static AttributeProto Float(string name, double value) => new() { Name = name, Type = AttributeProto.Types.Type.Float, F = (float)value };

    public static AttributeProto Text(string name, string value) =>
        new() { Name = name, Type = AttributeProto.Types.Type.String, S = ByteString.CopyFromUtf8(value) };
}

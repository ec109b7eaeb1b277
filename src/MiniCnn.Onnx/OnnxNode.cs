using MiniCnn.OnnxModels.Format;

namespace MiniCnn.OnnxModels;

/// <summary>A node of a graph that is read: operator, names of inputs and outputs, and attributes, each of which must be asked for.</summary>
sealed class OnnxNode
{
    readonly Dictionary<string, AttributeProto> attributes = [];
    readonly HashSet<string> taken = [];
    readonly string name;

    public OnnxNode(NodeProto node, int index)
    {
        (Op, name, Inputs, Outputs) = (node.OpType, node.Name is "" ? $"{index}" : node.Name, [.. node.Input], [.. node.Output]);
        if (node.Domain is not ("" or "ai.onnx"))
            throw Bad($"is an operator of {node.Domain}");
        foreach (AttributeProto attribute in node.Attribute)
            if (!attributes.TryAdd(attribute.Name, attribute))
                throw Bad($"has attribute {attribute.Name} twice");
        while (Inputs is [.., ""])                               // what may be left out, and is
            Inputs.RemoveAt(Inputs.Count - 1);
        while (Outputs is [.., ""])
            Outputs.RemoveAt(Outputs.Count - 1);
        if (Outputs.Count == 0)
            throw Bad("has no output");
    }

    /// <summary>A node that stands for several, the last of which is like it.</summary>
    public OnnxNode(string op, OnnxNode like, List<string> inputs) => (Op, name, Inputs, Outputs) = (op, like.name, inputs, like.Outputs);

    OnnxNode(string op, OnnxNode node, string output, List<string> inputs) => (Op, name, Inputs, Outputs, attributes) = (op, node.name, inputs, [output], node.attributes);

    /// <summary>The node with one more input, which makes what the next one made.</summary>
    public OnnxNode With(string output, string input) => new(Op, this, output, [.. Inputs, input]);

    /// <summary>The node as another operator, which makes what the next one made.</summary>
    public OnnxNode As(string op, string output) => new(op, this, output, Inputs);

    public string Op { get; }

    public List<string> Inputs { get; }

    public List<string> Outputs { get; }

    public string Output => Outputs[0];

    /// <summary>The fault of the node, “node 'conv1', Conv: …”.</summary>
    public OnnxFormatException Bad(string fault) => new($"node '{SafeTensors.OneLine(name)}', {SafeTensors.OneLine(Op)}: {fault}");

    /// <summary>An input that may be left out; null if it is.</summary>
    public string? Input(int index) => index < Inputs.Count && Inputs[index] is not "" ? Inputs[index] : null;

    public bool Has(string attribute) => attributes.ContainsKey(attribute);

    public long Int(string attribute, long absent) => Of(attribute, AttributeProto.Types.Type.Int)?.I ?? absent;

    public float Float(string attribute, float absent) => Of(attribute, AttributeProto.Types.Type.Float)?.F ?? absent;

    public string Text(string attribute, string absent) => Of(attribute, AttributeProto.Types.Type.String)?.S.ToStringUtf8() ?? absent;

    public long[]? Ints(string attribute) => Of(attribute, AttributeProto.Types.Type.Ints) is { } found ? [.. found.Ints] : null;

    public TensorProto? Tensor(string attribute) => Of(attribute, AttributeProto.Types.Type.Tensor)?.T;

    AttributeProto? Of(string attribute, AttributeProto.Types.Type type)
    {
        taken.Add(attribute);
        if (!attributes.TryGetValue(attribute, out AttributeProto? found))
            return null;
        return found.Type == type || found.Type == AttributeProto.Types.Type.Undefined ? found : throw Bad($"attribute {attribute} is {found.Type}, not {type}");
    }

    /// <summary>Refuses an attribute of another value than the one that is understood.</summary>
    public void Requires(string attribute, long value)
    {
        if (Int(attribute, value) is var found && found != value)
            throw Bad($"{attribute} {found} is not supported, only {value}");
    }

    /// <summary>Refuses attributes that nobody asked for.</summary>
    public void AreAllTaken()
    {
        if (attributes.Keys.FirstOrDefault(key => !taken.Contains(key)) is string other)
            throw Bad($"attribute {SafeTensors.OneLine(other)} is not supported");
    }
}

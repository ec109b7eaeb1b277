using MiniCnn.OnnxModels.Format;

namespace MiniCnn.OnnxModels;

/// <summary>A node of an imported graph: operator, input and output names, and attributes. An attribute that is never read is an error.</summary>
sealed class OnnxNode
{
    readonly Dictionary<string, AttributeProto> attributes = [];
    readonly HashSet<string> taken = [];
    readonly string name;

    public OnnxNode(NodeProto node, int index)
    {
        (Op, name, Inputs, Outputs) = (node.OpType, node.Name is "" ? $"{index}" : node.Name, [.. node.Input], [.. node.Output]);
        if (node.Domain is not ("" or "ai.onnx"))
            throw Bad($"the operator domain {node.Domain} is not supported");
        foreach (AttributeProto attribute in node.Attribute)
            if (!attributes.TryAdd(attribute.Name, attribute))
                throw Bad($"has attribute {attribute.Name} twice");
        while (Inputs is [.., ""])                               // omitted optional inputs
            Inputs.RemoveAt(Inputs.Count - 1);
        while (Outputs is [.., ""])
            Outputs.RemoveAt(Outputs.Count - 1);
        if (Outputs.Count == 0)
            throw Bad("has no output");
    }

    /// <summary>Creates a node that replaces several; it takes the name and outputs of the last one.</summary>
    public OnnxNode(string op, OnnxNode like, List<string> inputs) => (Op, name, Inputs, Outputs) = (op, like.name, inputs, like.Outputs);

    OnnxNode(string op, OnnxNode node, string output, List<string> inputs) => (Op, name, Inputs, Outputs, attributes) = (op, node.name, inputs, [output], node.attributes);

    /// <summary>Returns the node with one more input and the output of the node that it absorbs.</summary>
    public OnnxNode With(string output, string input) => new(Op, this, output, [.. Inputs, input]);

    /// <summary>Returns the node with another operator and the output of the node that it absorbs.</summary>
    public OnnxNode As(string op, string output) => new(op, this, output, Inputs);

    public string Op { get; }

    public List<string> Inputs { get; }

    public List<string> Outputs { get; }

    public string Output => Outputs[0];

    /// <summary>Creates the exception for a fault of this node: “node 'conv1', Conv: …”.</summary>
    public OnnxFormatException Bad(string fault) => new($"node '{SafeTensors.OneLine(name)}', {SafeTensors.OneLine(Op)}: {fault}");

    /// <summary>Name of an input, or null if the optional input is omitted.</summary>
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

    /// <summary>Throws if the attribute is present with another value than the supported one.</summary>
    public void Requires(string attribute, long value)
    {
        if (Int(attribute, value) is var found && found != value)
            throw Bad($"{attribute} {found} is not supported, only {value}");
    }

    /// <summary>Throws if an attribute was never read, because it is then not supported.</summary>
    public void AreAllTaken()
    {
        if (attributes.Keys.FirstOrDefault(key => !taken.Contains(key)) is string other)
            throw Bad($"attribute {SafeTensors.OneLine(other)} is not supported");
    }
}

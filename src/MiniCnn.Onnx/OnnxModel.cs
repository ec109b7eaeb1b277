using Google.Protobuf;
using MiniCnn.OnnxModels.Format;

namespace MiniCnn.OnnxModels;

/// <summary>A network that was read from an ONNX file; and networks as ONNX files, the format that runtimes on phones, in browsers and on servers read.</summary>
/// <remarks>Source: https://onnx.ai.</remarks>
public sealed class OnnxModel
{
    const int MostBytes = int.MaxValue;                          // of a file: protobuf's own bound

    OnnxModel(Layer network, ImageShape input, ImageModel? model) => (Network, Input, Model) = (network, input, model);

    /// <summary>The network: it runs, goes on learning, and is saved as any other.</summary>
    public Layer Network { get; }

    /// <summary>The images that it takes.</summary>
    public ImageShape Input { get; }

    /// <summary>The network with class names, size, fit, mean and std, if the file tells them as <see cref="Save(ImageModel, string, bool, bool)"/> writes them.</summary>
    public ImageModel? Model { get; }

    /// <summary>
    /// Reads a network from a file of opset 7 to 23: layers of this library in chains, sums and concatenations, as PyTorch, Keras and others write them. Nothing in
    /// the file is taken on trust; weights in a file beside it are read from its folder alone. Images with the channels last, as Keras has them, go in and come out
    /// with the channels first.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="input">The images' shape, where the file leaves it open.</param>
    /// <param name="output">The name of one output where the file has several, or of any tensor in it: the network ends there. What does not lead to it is left out.</param>
    /// <exception cref="OnnxFormatException">
    /// No such file, or one with an operator, attribute, type or shape that no layer has; the message is one line that names node and operator.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static OnnxModel Load(string path, ImageShape? input = null, string? output = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream file = File.OpenRead(path);
        return Read(file, path, input, output);
    }

    /// <summary>The same of a stream that stands for a file at a path.</summary>
    internal static OnnxModel Read(Stream file, string path, ImageShape? input, string? output = null)
    {
        try
        {
            if (file.Length > MostBytes)
                throw new OnnxFormatException($"{file.Length} bytes are more than an ONNX file has");
            ModelProto proto = ModelProto.Parser.ParseFrom(file);
            (Layer network, ImageShape shape) = OnnxImport.Read(proto, Path.GetDirectoryName(Path.GetFullPath(path))!, input, output);
            Dictionary<string, string> metadata = proto.MetadataProps.GroupBy(entry => entry.Key).ToDictionary(group => group.Key, group => group.Last().Value);
            return new(network, shape, ImageModel.Of(network, shape, metadata));
        }
        catch (Exception e) when (e is OnnxFormatException or InvalidProtocolBufferException or InvalidDataException or ArgumentException)
        {
            throw new OnnxFormatException(SafeTensors.OneLine($"{path}: {(e is InvalidProtocolBufferException ? $"is no ONNX model ({e.Message})" : e.Message)}"), e);
        }
    }

    /// <summary>
    /// Writes a network in its inference form: input “images”, float [batch, C, H, W], output “output”, both of any number of images. Opset 17, or 19 if a
    /// padding is circular.
    /// </summary>
    /// <param name="network">The network; a file of at most 2 GB holds it.</param>
    /// <param name="input">The shape of an image.</param>
    /// <param name="path">The file, “model.onnx”: it is whole or not there.</param>
    /// <param name="foldBatchNorm">
    /// Whether a BatchNorm2d right after a Conv2d goes into that one's weights and bias. The results differ by rounding, and the file cannot be fine-tuned as
    /// the network could.
    /// </param>
    /// <exception cref="NotSupportedException">A layer that ONNX cannot say; the message names it.</exception>
    /// <exception cref="ArgumentException">The network does not take such images.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(Layer network, ImageShape input, string path, bool foldBatchNorm = false)
    {
        ArgumentNullException.ThrowIfNull(network);
        OnnxWriter graph = new();
        string y = new OnnxExport(graph, foldBatchNorm).Add(network, "images", input);
        Write(graph, network, input, y, "output", TensorProto.Types.DataType.Float, OnnxExport.Lengths(input), network.OutputShape(input), [], path);
    }

    /// <summary>
    /// Writes a model: its network as <see cref="Save(Layer, ImageShape, string, bool)"/> does, with the output “logits”; and in the metadata what
    /// <see cref="ImageModel.Save"/> writes, class names, size, fit, mean and std.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file.</param>
    /// <param name="includePreprocessing">
    /// Whether the file takes pixels and gives probabilities: input “pixels”, uint8 [batch, H, W, C] of the model's size, output “probabilities”, [batch, classes]
    /// or of masks [batch, classes, H, W]. Resizing stays the caller's.
    /// </param>
    /// <param name="foldBatchNorm">See there.</param>
    /// <inheritdoc cref="Save(Layer, ImageShape, string, bool)"/>
    public static void Save(ImageModel model, string path, bool includePreprocessing = false, bool foldBatchNorm = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.CheckOutput();
        OnnxWriter graph = new();
        ImageShape input = model.Input, output = model.Network.OutputShape(input);
        string x = includePreprocessing ? Preprocess(graph, model) : "images", y = new OnnxExport(graph, foldBatchNorm).Add(model.Network, x, input);
        if (!includePreprocessing)
        {
            Write(graph, model.Network, input, y, "logits", TensorProto.Types.DataType.Float, OnnxExport.Lengths(input), output, model.Metadata, path);
            return;
        }
        if (output.Channels == 1 && model.ClassNames.Count == 2)
        {
            y = graph.Node("", "Sigmoid", [y]);                  // of the second class
            y = graph.Node("", "Concat", [graph.Node("", "Sub", [graph.Constant("one", [1f]), y]), y], OnnxWriter.Int("axis", 1));
            output = output with { Channels = 2 };
        }
        else
            y = graph.Node("", "Softmax", [y], OnnxWriter.Int("axis", 1));
        Write(graph, model.Network, input, y, "probabilities", TensorProto.Types.DataType.Uint8, [input.Height, input.Width, input.Channels], output, model.Metadata, path);
    }

    /// <summary>(x/255 − mean)/std of bytes [batch, H, W, C], as [batch, C, H, W].</summary>
    static string Preprocess(OnnxWriter graph, ImageModel model)
    {
        long channels = model.Input.Channels;
        string x = graph.Node("", "Cast", ["pixels"], OnnxWriter.Int("to", (int)TensorProto.Types.DataType.Float));
        x = graph.Node("", "Transpose", [x], OnnxWriter.Ints("perm", 0, 3, 1, 2));
        x = graph.Node("", "Div", [x, graph.Constant("full", [255f])]);
        x = graph.Node("", "Sub", [x, graph.Constant("mean", model.Mean, channels, 1, 1)]);
        return graph.Node("", "Div", [x, graph.Constant("std", model.Std, channels, 1, 1)]);
    }

    static void Write(
        OnnxWriter graph, Layer network, ImageShape input, string y, string name, TensorProto.Types.DataType type, long[] lengths, ImageShape output,
        IEnumerable<KeyValuePair<string, string>> metadata, string path)
    {
        bool hasBytes = type == TensorProto.Types.DataType.Uint8;
        if (y is "images")                                       // a network of Identity alone
            y = graph.Node("", "Identity", [y]);
        graph.Rename(y, name);
        ModelProto model = graph.ToModel(
            OnnxWriter.Value(hasBytes ? "pixels" : "images", type, [.. lengths.Select(length => (int)length)]),
            OnnxWriter.Value(name, TensorProto.Types.DataType.Float, [.. OnnxExport.Lengths(output).Select(length => (int)length)]), metadata);
        if (model.CalculateSize() < 0)
            throw new NotSupportedException($"{network.Description} takes more than the 2 GB that an ONNX file holds");
        AtomicFile.Write(path, file => model.WriteTo(file));
    }
}

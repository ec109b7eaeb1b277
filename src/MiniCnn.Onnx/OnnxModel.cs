using Google.Protobuf;
using MiniCnn.OnnxModels.Format;

namespace MiniCnn.OnnxModels;

/// <summary>A network read from an ONNX file. Also writes networks as ONNX files, which runtimes on phones, in browsers and on servers can read.</summary>
/// <remarks>Source: https://onnx.ai.</remarks>
public sealed class OnnxModel
{
    const int MostBytes = int.MaxValue;                          // in a file: the limit of protobuf

    OnnxModel(Layer network, ImageShape input, ImageModel? model) => (Network, Input, Model) = (network, input, model);

    /// <summary>The network. It can run, be trained further and be saved like any other network.</summary>
    public Layer Network { get; }

    /// <summary>Shape of one input image.</summary>
    public ImageShape Input { get; }

    /// <summary>
    /// The network with class names, size, fit, mean and std. Null if the file has no metadata as <see cref="Save(ImageModel, string, bool, bool)"/> writes it.
    /// </summary>
    public ImageModel? Model { get; }

    /// <summary>
    /// Reads a network from an ONNX file of opset 6 to 26, written by PyTorch, Keras or another exporter. The graph must consist of chains, sums, differences
    /// and concatenations of this library's layers. The file is fully validated. External weights are read only from the folder of the file. A network with
    /// the channels last, as in Keras, is converted: it takes and returns images with the channels first.
    /// </summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="input">Shape of an image. Needed only if the file does not specify it.</param>
    /// <param name="output">
    /// Name of the tensor where the network ends: an output, or any tensor inside the graph. Nodes that it does not need are left out. The default is the
    /// only output of the file; a file with several outputs needs this name.
    /// </param>
    /// <exception cref="OnnxFormatException">
    /// The file is not an ONNX model, is damaged, or has an operator, attribute, type or shape that no layer supports. The message is one line that names
    /// the node and operator.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static OnnxModel Load(string path, ImageShape? input = null, string? output = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream file = File.OpenRead(path);
        return Read(file, path, input, output);
    }

    /// <summary>Reads a network from a stream with the content of the file at a path.</summary>
    internal static OnnxModel Read(Stream file, string path, ImageShape? input, string? output = null)
    {
        try
        {
            if (file.Length > MostBytes)
                throw new OnnxFormatException($"has {file.Length} bytes; an ONNX file has at most {MostBytes}");
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
    /// Writes a network for inference as an ONNX file of opset 17, or 19 if a padding is circular. The input is “images”, float [batch, C, H, W] or
    /// [batch, features]. The output is “output”, float. The batch size is dynamic.
    /// </summary>
    /// <param name="network">The network. The file must not exceed 2 GB.</param>
    /// <param name="input">Shape of an image.</param>
    /// <param name="path">Path of the file, for example “model.onnx”. The write is atomic: after a failure, no incomplete file is left.</param>
    /// <param name="foldBatchNorm">
    /// Whether to fold a BatchNorm2d that directly follows a Conv2d into its weights and bias. The results differ by rounding errors, and the folded batch
    /// norms can no longer be fine-tuned.
    /// </param>
    /// <exception cref="NotSupportedException">A layer has no ONNX equivalent, or the file would exceed 2 GB. The message names the layer.</exception>
    /// <exception cref="ArgumentException">The network does not accept images of this shape.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(Layer network, ImageShape input, string path, bool foldBatchNorm = false)
    {
        ArgumentNullException.ThrowIfNull(network);
        OnnxWriter graph = new();
        string y = new OnnxExport(graph, foldBatchNorm).Add(network, "images", input);
        Write(graph, network, input, y, "output", TensorProto.Types.DataType.Float, OnnxExport.Lengths(input), network.OutputShape(input), [], path);
    }

    /// <summary>
    /// Writes a model with its network, as <see cref="Save(Layer, ImageShape, string, bool)"/> does, but with the output name “logits”. The metadata is that
    /// of <see cref="ImageModel.Save"/>: class names, size, fit, mean and std.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="path">Path of the file.</param>
    /// <param name="includePreprocessing">
    /// Whether the file includes preprocessing and softmax (sigmoid for a single logit). The input is then “pixels”, uint8 [batch, H, W, C] of the model's
    /// size. The output is “probabilities”, float [batch, classes], or [batch, classes, H, W] for segmentation. The caller must resize the images.
    /// </param>
    /// <param name="foldBatchNorm">Whether to fold batch norms into convolutions, as in <see cref="Save(Layer, ImageShape, string, bool)"/>.</param>
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
            y = graph.Node("", "Sigmoid", [y]);                  // probability of the second class
            y = graph.Node("", "Concat", [graph.Node("", "Sub", [graph.Constant("one", [1f]), y]), y], OnnxWriter.Int("axis", 1));
            output = output with { Channels = 2 };
        }
        else
            y = graph.Node("", "Softmax", [y], OnnxWriter.Int("axis", 1));
        Write(graph, model.Network, input, y, "probabilities", TensorProto.Types.DataType.Uint8, [input.Height, input.Width, input.Channels], output, model.Metadata, path);
    }

    /// <summary>Adds nodes that compute (x/255 − mean)/std: bytes [batch, H, W, C] → float [batch, C, H, W].</summary>
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
        if (y is "images")                                       // the network has only Identity layers
            y = graph.Node("", "Identity", [y]);
        graph.Rename(y, name);
        ModelProto model = graph.ToModel(
            OnnxWriter.Value(hasBytes ? "pixels" : "images", type, [.. lengths.Select(length => (int)length)]),
            OnnxWriter.Value(name, TensorProto.Types.DataType.Float, [.. OnnxExport.Lengths(output).Select(length => (int)length)]), metadata);
        if (model.CalculateSize() < 0)
            throw new NotSupportedException($"{network.Description}: the file would exceed 2 GB, the limit of an ONNX file");
        AtomicFile.Write(path, file => model.WriteTo(file));
    }
}

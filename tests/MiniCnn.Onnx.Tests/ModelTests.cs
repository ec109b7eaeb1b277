using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using MiniCnn.OnnxModels;
using MiniCnn.OnnxModels.Format;

namespace MiniCnn.Tests;

/// <summary>Models with their classes and preprocessing, written and read; and what is refused.</summary>
public sealed class ModelTests : FolderTests
{
    static Sequential Classifier(int channels, int classes) => new(
        new Conv2d(channels, 6, 3, padding: 1, bias: false), new BatchNorm2d(6), new ReLU(), new MaxPool2d(2),
        new Residual(new Sequential(new Conv2d(6, 6, 3, padding: 1), new BatchNorm2d(6))), new ReLU(), new AdaptiveAvgPool2d(1), new Flatten(), new Linear(6, classes));

    /// <summary>Random pictures, not square, and a network that a few steps were trained on.</summary>
    static (Sequential Network, LabeledImages Images) Trained(int channels, int classes, int logits)
    {
        byte[] pixels = new byte[40 * channels * 12 * 18];
        new Random(channels).NextBytes(pixels);
        float[] mean = [.. new[] { 0.4f, 0.5f, 0.6f }.Take(channels)], std = [.. new[] { 0.2f, 0.25f, 0.3f }.Take(channels)];
        LabeledImages images = new(pixels, [.. Enumerable.Range(0, 40).Select(i => i % classes)], new(channels, 12, 18), classes, mean, std, [.. Enumerable.Range(0, classes).Select(c => $"a “class” {c}")]);
        Sequential network = Classifier(channels, logits);
        network.Initialize(1);
        new Trainer(network, new Sgd(network.Parameters, 0.1f)) { BatchSize = 8, Loss = logits == 1 ? new BceWithLogitsLoss() : new CrossEntropyLoss() }.Run(images);
        return (network, images);
    }

    [Theory]
    [InlineData(1, 4, 4)]
    [InlineData(3, 2, 2)]
    [InlineData(3, 2, 1)]
    public void With_preprocessing_bytes_in_give_the_probabilities_that_a_predictor_gives(int channels, int classes, int logits)
    {
        (Sequential network, LabeledImages images) = Trained(channels, classes, logits);
        ImageClassifier model = new(network, images);
        OnnxModel.Save(model, PathOf("a.onnx"), includePreprocessing: true);
        byte[] bytes = new byte[5 * 12 * 18 * channels];           // [N, H, W, C]
        for (int n = 0; n < 5; n++)
            for (int i = 0; i < 12 * 18 * channels; i++)
                bytes[n * 12 * 18 * channels + i % (12 * 18) * channels + i / (12 * 18)] = images.Image(n)[i];
        float[] found = Runtime.Run<byte>(PathOf("a.onnx"), bytes, 5, 12, 18, channels);
        IReadOnlyList<Prediction> expected = model.CreatePredictor().Predict(images.Batches(5).First().Images);
        Assert.Equal(5 * classes, found.Length);
        for (int i = 0; i < found.Length; i++)
            Assert.Equal(expected[i / classes].Probabilities[i % classes], found[i], 1e-6);
    }

    [Fact]
    public void A_segmenter_gives_the_probabilities_of_each_pixel()
    {
        byte[] pixels = new byte[6 * 8 * 12], masks = new byte[6 * 8 * 12];
        new Random(1).NextBytes(pixels);
        for (int i = 0; i < masks.Length; i++)
            masks[i] = (byte)(pixels[i] / 86);
        MaskedImages images = new(pixels, masks, new(1, 8, 12), classes: 3, [0.5f], [0.3f]);
        Sequential network = new(new Conv2d(1, 5, 3, padding: 1), new ReLU(), new Conv2d(5, 3, 1));
        ImageSegmenter model = new(network, images);
        OnnxModel.Save(model, PathOf("a.onnx"), includePreprocessing: true);
        float[] found = Runtime.Run<byte>(PathOf("a.onnx"), pixels.AsSpan(0, 2 * 96), 2, 8, 12, 1), expected = [.. model.CreatePredictor().Predict(images.Batches(2).First().Images)];
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < found.Length; i++)
            Assert.Equal(expected[i], found[i], 1e-6);
        OnnxModel.Save(model, PathOf("b.onnx"));
        Assert.IsType<ImageSegmenter>(OnnxModel.Load(PathOf("b.onnx")).Model);
    }

    [Fact]
    public void Classes_and_preprocessing_come_back()
    {
        (Sequential network, LabeledImages images) = Trained(3, 4, 4);
        OnnxModel.Save(new ImageClassifier(network, images), PathOf("a.onnx"));
        OnnxModel read = OnnxModel.Load(PathOf("a.onnx"));
        ImageClassifier model = Assert.IsType<ImageClassifier>(read.Model);
        Assert.Equal(images.ClassNames, model.ClassNames);
        Assert.Equal(images.Mean.ToArray(), model.Mean.ToArray());
        Assert.Equal(images.Std.ToArray(), model.Std.ToArray());
        Assert.Equal(images.Shape, model.Input);
        Assert.Same(read.Network, model.Network);
        Assert.Equal(1e-5, ((BatchNorm2d)((Sequential)read.Network).Layers[1]).Epsilon);
        Assert.Equal(Evaluation.Of(network, images).Loss, Evaluation.Of(read.Network, images).Loss, 1e-6);
        Assert.Null(Load(network, images.Shape).Model);
    }

    OnnxModel Load(Layer network, ImageShape shape)
    {
        OnnxModel.Save(network, shape, PathOf("again.onnx"));
        return OnnxModel.Load(PathOf("again.onnx"));
    }

    [Fact]
    public void ONNX_Runtime_takes_every_digit_for_what_the_network_does_and_what_is_read_goes_on_learning()
    {
        LabeledImages train = DrawnDigits.Draw(1_500, seed: 1), test = DrawnDigits.Draw(1_000, seed: 2);
        Sequential network = new(new Conv2d(1, 6, 5, padding: 2), new ReLU(), new MaxPool2d(2), new Conv2d(6, 12, 5), new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(300, 10));
        network.Initialize(0);
        new Trainer(network, new Sgd(network.Parameters, 0.05f, momentum: 0.9f)).Run(train);
        OnnxModel.Save(network, train.Shape, PathOf("a.onnx"));
        using InferenceSession session = Runtime.Open(PathOf("a.onnx"));
        foreach (Batch batch in test.Batches(250))
        {
            float[] theirs = session.Run<float>(batch.Images.AsSpan(), batch.Images.Lengths), ours = [.. network.Forward(batch.Images)];
            Assert.Equal(Guesses(ours), Guesses(theirs));
        }
        Layer read = OnnxModel.Load(PathOf("a.onnx")).Network;
        double before = Evaluation.Of(read, test).Loss;
        new Trainer(read, new Sgd(read.Parameters, 0.02f, momentum: 0.9f)).Run(train);
        Assert.True(Evaluation.Of(read, test).Loss < before);
        Load(read, train.Shape);

        static int[] Guesses(float[] logits) => [.. logits.Chunk(10).Select(row => Array.IndexOf(row, row.Max()))];
    }

    [Fact]
    public void Batch_norms_go_into_convolutions_on_request()
    {
        (Sequential network, LabeledImages images) = Trained(3, 4, 4);
        Tensor<float> x = images.Batches(7).First().Images;
        OnnxModel.Save(network, images.Shape, PathOf("a.onnx"));
        OnnxModel.Save(network, images.Shape, PathOf("b.onnx"), foldBatchNorm: true);
        Assert.Equal(2, Count("a.onnx"));
        Assert.Equal(0, Count("b.onnx"));
        float[] plain = Runtime.Run(PathOf("a.onnx"), x), folded = Runtime.Run(PathOf("b.onnx"), x);
        for (int i = 0; i < plain.Length; i++)
            Assert.Equal(plain[i], folded[i], 1e-5 * plain.Max(Math.Abs));

        int Count(string name) => ModelProto.Parser.ParseFrom(File.ReadAllBytes(PathOf(name))).Graph.Node.Count(node => node.OpType == "BatchNormalization");
    }

    [Fact]
    public void The_same_network_gives_the_same_bytes_and_names_are_those_of_its_weights()
    {
        (Sequential network, LabeledImages images) = Trained(1, 4, 4);
        OnnxModel.Save(network, images.Shape, PathOf("a.onnx"));
        OnnxModel.Save(network, images.Shape, PathOf("b.onnx"));
        byte[] bytes = File.ReadAllBytes(PathOf("a.onnx"));
        Assert.Equal(bytes, File.ReadAllBytes(PathOf("b.onnx")));
        GraphProto graph = ModelProto.Parser.ParseFrom(bytes).Graph;
        Assert.Equal(("images", "output"), (Assert.Single(graph.Input).Name, Assert.Single(graph.Output).Name));
        Assert.Equal(["batch", "1", "12", "18"], graph.Input[0].Type.TensorType.Shape.Dim.Select(dim => dim.DimParam is "" ? $"{dim.DimValue}" : dim.DimParam));
        Assert.All(network.Parameters, parameter => Assert.Contains(graph.Initializer, tensor => tensor.Name == parameter.Name));
    }

    /// <summary>17 knows no padding by wrapping; runtimes do not all say so.</summary>
    [Theory]
    [InlineData(PaddingMode.Reflect, 17)]
    [InlineData(PaddingMode.Circular, 19)]
    public void A_file_is_of_the_opset_that_its_operators_came_with(PaddingMode mode, long opset)
    {
        OnnxModel.Save(new Sequential(new Conv2d(1, 2, 3, padding: 1, paddingMode: mode)), new(1, 4, 5), PathOf("a.onnx"));
        Assert.Equal(opset, Assert.Single(ModelProto.Parser.ParseFrom(File.ReadAllBytes(PathOf("a.onnx"))).OpsetImport).Version);
    }

    sealed class Twice : CustomLayer
    {
        public override ImageShape OutputShape(ImageShape input) => input;

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training) => Tensor.Multiply<float>(x, 2);

        protected override Tensor<float> BackwardCore(Tensor<float> dy) => Tensor.Multiply<float>(dy, 2);
    }

    [Fact]
    public void What_ONNX_cannot_say_is_refused_by_name_and_leaves_nothing()
    {
        (Layer Layer, ImageShape Shape, string Says)[] cases =
        [
            (new Sequential(new ReLU(), new Twice()), new(2, 4, 5), "layer 1, Twice"), (new AdaptiveAvgPool2d((2, 3)), new(1, 5, 6), "5×6 is no multiple of 2×3"),
        ];
        foreach ((Layer layer, ImageShape shape, string says) in cases)
            Assert.Contains(says, Assert.Throws<NotSupportedException>(() => OnnxModel.Save(layer, shape, PathOf("a.onnx"))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => OnnxModel.Save(new Sequential(new Linear(3, 2)), 4, PathOf("a.onnx")));
        Assert.Empty(Directory.GetFiles(folder));
    }

    /// <summary>One line that names node and operator.</summary>
    [Theory]
    [InlineData("Elu", null, "node 'n', Elu: is not supported")]
    [InlineData("Relu", "surprise", "node 'n', Relu: attribute surprise is not supported")]
    [InlineData("LeakyRelu", "alpha", "node 'n', LeakyRelu: attribute alpha is Int, not Float")]
    public void What_no_layer_says_is_refused_by_node_and_operator(string op, string? attribute, string says)
    {
        OnnxModel.Save(new Sequential(new ReLU()), new(1, 3, 4), PathOf("a.onnx"));
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(PathOf("a.onnx")));
        NodeProto node = model.Graph.Node[0];
        (node.Name, node.OpType) = ("n", op);
        if (attribute is not null)
            node.Attribute.Add(OnnxWriter.Int(attribute, 1));
        using (FileStream file = File.Create(PathOf("a.onnx")))
            Google.Protobuf.MessageExtensions.WriteTo(model, file);
        Assert.Equal($"{PathOf("a.onnx")}: {says}", Assert.Throws<OnnxFormatException>(() => OnnxModel.Load(PathOf("a.onnx"))).Message);
    }

    [Fact]
    public void An_open_size_is_to_be_given()
    {
        OnnxModel.Save(new Sequential(new Conv2d(1, 2, 3), new ReLU()), new(1, 9, 8), PathOf("a.onnx"));
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(PathOf("a.onnx")));
        model.Graph.Input[0].Type.TensorType.Shape.Dim[2].DimParam = "height";
        using (FileStream file = File.Create(PathOf("a.onnx")))
            Google.Protobuf.MessageExtensions.WriteTo(model, file);
        Assert.Contains("input 'images' is [batch, 1, height, 8]", Assert.Throws<OnnxFormatException>(() => OnnxModel.Load(PathOf("a.onnx"))).Message, StringComparison.Ordinal);
        Assert.Equal(new(2, 4, 6), OnnxModel.Load(PathOf("a.onnx"), new ImageShape(1, 6, 8)).Network.OutputShape(new(1, 6, 8)));
    }
}

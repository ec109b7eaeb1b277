using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json;
using MiniCnn.Imaging;

namespace MiniCnn.Examples.CatsVsDogs;

/// <summary>A network, and what it has to know of a photo to read it: all of it is in the file that Save writes.</summary>
/// <param name="Network">[N, 3, size, size] to [N, classes] logits.</param>
/// <param name="Size">Photos are resized to size × size.</param>
/// <param name="Mean">Of each channel, from 0 to 1.</param>
/// <param name="Std">Of each channel, from 0 to 1.</param>
/// <param name="Classes">Their names.</param>
sealed record PetClassifier(Sequential Network, int Size, float[] Mean, float[] Std, IReadOnlyList<string> Classes)
{
    const int Blocks = 4, FirstChannels = 16;

    /// <summary>Where the last feature maps come out, those that the class activation map adds up.</summary>
    int LastMaps => Network.Layers.Count - 5;

    /// <summary>The convolution whose kernels can be looked at.</summary>
    public Conv2d FirstLayer => (Conv2d)Network.Layers[0];

    /// <summary>An untrained one for pictures of a set.</summary>
    public static PetClassifier Create(LabeledImages images, int seed)
    {
        PetClassifier classifier = new(
            Build(images.Shape.Height, images.Classes), images.Shape.Height, [.. images.Mean], [.. images.Std], images.ClassNames);
        classifier.Network.Initialize(seed);
        return classifier;
    }

    /// <summary>
    /// Blocks of 3×3 convolutions, each with a batch norm and a ReLU; a pool between blocks halves the size while channels double.
    /// The mean of each of the last maps goes to a Linear: so the maps, weighted as it weights them, tell where it looked.
    /// </summary>
    static Sequential Build(int size, int classes)
    {
        List<Layer> layers = [];
        int channels = 3;
        for (int block = 0; block < Blocks; block++)
        {
            int wider = FirstChannels << block;
            Convolve(channels, wider);
            if (block > 0)
                Convolve(wider, wider);
            if (block < Blocks - 1)
                layers.Add(new MaxPool2d(2));
            channels = wider;
        }
        return new([.. layers, new AvgPool2d(size >> (Blocks - 1)), new Flatten(), new Dropout(0.3), new Linear(channels, classes)]);

        void Convolve(int from, int to) => layers.AddRange([new Conv2d(from, to, kernelSize: 3, padding: 1, bias: false), new BatchNorm2d(to), new ReLU()]);
    }

    public void Save(string path) => Weights.Save(Network, path, new Dictionary<string, string>
    {
        ["size"] = Size.ToString(CultureInfo.InvariantCulture),
        ["mean"] = JsonSerializer.Serialize(Mean),
        ["std"] = JsonSerializer.Serialize(Std),
        ["classes"] = JsonSerializer.Serialize(Classes),
    });

    /// <exception cref="InvalidDataException">The file is no classifier's.</exception>
    public static PetClassifier Load(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: there is no such model; train one first, or name another with --model");
        IReadOnlyDictionary<string, string> about = SafeTensors.Read(path).Metadata;
        try
        {
            int size = int.Parse(about["size"], CultureInfo.InvariantCulture);
            string[] classes = JsonSerializer.Deserialize<string[]>(about["classes"]) ?? [];
            float[] mean = JsonSerializer.Deserialize<float[]>(about["mean"]) ?? [], std = JsonSerializer.Deserialize<float[]>(about["std"]) ?? [];
            if (size is < 16 or > 512 || mean.Length != 3 || std.Length != 3 || !mean.All(float.IsFinite) || !std.All(value => value > 0))
                throw new FormatException($"size {size}, means {string.Join(" ", mean)}, deviations {string.Join(" ", std)}");
            PetClassifier classifier = new(Build(size, classes.Length), size, mean, std, classes);
            Weights.Load(classifier.Network, path);
            return classifier;
        }
        catch (Exception e) when (e is KeyNotFoundException or FormatException or OverflowException or JsonException or ArgumentException)
        {
            throw new InvalidDataException($"{path}: a model, but not one that this program has saved ({e.Message.ReplaceLineEndings(" ")})", e);
        }
    }

    /// <summary>A photo as the network takes it, [1, 3, size, size].</summary>
    public Tensor<float> Input(Picture photo)
    {
        Tensor<float> x = photo.ToRgb().Resize(Size, Size).ToTensor();
        for (int c = 0; c < 3; c++)
        {
            Span<float> channel = x.GetSpan([0, c, 0, 0], Size * Size);
            TensorPrimitives.Subtract(channel, Mean[c], channel);
            TensorPrimitives.Divide(channel, Std[c], channel);
        }
        return x;
    }

    /// <summary>The classes' probabilities for each image of a batch, and, image after image, softmax of the logits.</summary>
    public float[][] Probabilities(Tensor<float> images)
    {
        Tensor<float> logits = Network.Forward(images);
        float[] all = new float[logits.FlattenedLength];
        logits.FlattenTo(all);
        float[][] rows = [.. all.Chunk(Classes.Count)];
        foreach (float[] row in rows)
            TensorPrimitives.SoftMax(row, row);
        return rows;
    }

    /// <summary>
    /// Where the network saw a class: the last feature maps, added up by the class's weights. Source: Zhou et al., Learning Deep Features
    /// for Discriminative Localization, 2016.
    /// </summary>
    public float[,] ActivationMap(Tensor<float> x, int label)
    {
        Tensor<float> maps = Network.Trace(x)[LastMaps];                         // [1, C, h, w]
        Tensor<float> weights = ((Linear)Network.Layers[^1]).Weight.Value;       // [classes, C]
        float[,] sum = new float[maps.Lengths[2], maps.Lengths[3]];
        for (int c = 0; c < maps.Lengths[1]; c++)
            for (int y = 0; y < sum.GetLength(0); y++)
                for (int column = 0; column < sum.GetLength(1); column++)
                    sum[y, column] += weights[label, c] * maps[0, c, y, column];
        return sum;
    }

    /// <summary>What the first layer's kernels make of a photo, after their ReLU.</summary>
    public float[][,] FirstMaps(Tensor<float> x)
    {
        Tensor<float> maps = Network.Trace(x)[2];
        return [.. Enumerable.Range(0, (int)maps.Lengths[1]).Select(c =>
        {
            float[,] map = new float[maps.Lengths[2], maps.Lengths[3]];
            for (int y = 0; y < map.GetLength(0); y++)
                for (int column = 0; column < map.GetLength(1); column++)
                    map[y, column] = maps[0, c, y, column];
            return map;
        })];
    }
}

using System.Numerics.Tensors;

namespace MiniCnn.Examples.CatsVsDogs;

/// <summary>A model of a shape that lets one see where it looks.</summary>
sealed class PetClassifier
{
    const int Blocks = 4, FirstChannels = 16;

    PetClassifier(ImageClassifier model)
    {
        (Model, Network) = (model, (Sequential)model.Network);
        Predictor = model.CreatePredictor();
    }

    public ImageClassifier Model { get; }

    public Sequential Network { get; }

    public Predictor Predictor { get; }

    /// <summary>Where the last feature maps come out, those that the class activation map adds up.</summary>
    int LastMaps => Network.Layers.Count - 5;

    /// <summary>An untrained one for pictures of a set.</summary>
    public static PetClassifier Create(LabeledImages images, int seed)
    {
        Sequential network = Build(images.Shape.Height, images.Classes);
        network.Initialize(seed);
        return new(new ImageClassifier(network, images));
    }

    /// <summary>What a training saved.</summary>
    /// <exception cref="InvalidDataException">The file is no classifier's.</exception>
    public static PetClassifier Load(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: there is no such model; train one first, or name another with --model");
        ImageClassifier model = ImageClassifier.Load(path);
        return model is { Input.Channels: 3, Network: Sequential { Layers: [Conv2d, BatchNorm2d, ReLU, .., ReLU, AvgPool2d, Flatten, Dropout, Linear] } }
            ? new(model) : throw new InvalidDataException($"{path}: a model, but not one that this program has saved");
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
}

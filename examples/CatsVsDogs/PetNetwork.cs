using System.Numerics.Tensors;

namespace MiniCnn.Examples.CatsVsDogs;

/// <summary>The network, and the class activation map that shows where it looks.</summary>
static class PetNetwork
{
    const int Blocks = 4, FirstChannels = 16;

    /// <summary>
    /// Builds four blocks of 3×3 convolutions, each with batch norm and ReLU. A pool between blocks halves the size; the channels double: 16, 32, 64, 128.
    /// The mean of each last feature map goes to a Linear layer.
    /// </summary>
    /// <param name="size">Height and width of the images.</param>
    /// <param name="classes">Number of classes.</param>
    public static Sequential Build(int size, int classes)
    {
        List<Layer> layers = [];
        int channels = 3;
        for (int block = 0; block < Blocks; block++)
        {
            int wider = FirstChannels << block;
            AddConvolution(channels, wider);
            if (block > 0)
                AddConvolution(wider, wider);
            if (block < Blocks - 1)
                layers.Add(new MaxPool2d(2));
            channels = wider;
        }
        return new([.. layers, new AvgPool2d(size >> (Blocks - 1)), new Flatten(), new Dropout(0.3), new Linear(channels, classes)]);

        void AddConvolution(int from, int to) =>
            layers.AddRange([new Conv2d(from, to, kernelSize: 3, padding: 1, bias: false), new BatchNorm2d(to), new ReLU()]);
    }

    /// <summary>
    /// Computes the class activation map: the sum of the last feature maps, weighted by the class's weights in the Linear layer. Source: Zhou et al.,
    /// Learning Deep Features for Discriminative Localization, 2016.
    /// </summary>
    /// <exception cref="InvalidDataException">The model has another network.</exception>
    public static float[,] ActivationMap(ImageClassifier model, Tensor<float> x, int label)
    {
        if (model.Network is not Sequential { Layers: [.., ReLU, AvgPool2d, Flatten, Dropout, Linear linear] } network)
            throw new InvalidDataException("the model has no class activation map: it was not saved by this program");
        Tensor<float> maps = network.Trace(x)[^5];                               // [1, C, h, w], the output of the last ReLU
        float[,] sum = new float[maps.Lengths[2], maps.Lengths[3]];
        for (int c = 0; c < maps.Lengths[1]; c++)
            for (int row = 0; row < sum.GetLength(0); row++)
                for (int column = 0; column < sum.GetLength(1); column++)
                    sum[row, column] += linear.Weight.Value[label, c] * maps[0, c, row, column];
        return sum;
    }
}

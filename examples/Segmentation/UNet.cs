namespace MiniCnn.Examples.Segmentation;

/// <summary>A U-Net: each level works at half the size of the level above it, with twice the channels.</summary>
static class UNet
{
    /// <summary>Builds a U-Net of four levels for grayscale images, with or without its skip connections.</summary>
    public static Sequential Build(int classes, bool skips, int seed)
    {
        Sequential net = new(Level(1, 12, depth: 3, skips), new Conv2d(12, classes, kernelSize: 1));
        net.Initialize(seed);
        return net;
    }

    /// <summary>Builds one level and the levels below it. The skip connection concatenates the input of the levels below with their output.</summary>
    static Sequential Level(int from, int to, int depth, bool skips)
    {
        if (depth == 0)
            return Block(from, to);
        Sequential below = new(new MaxPool2d(2), Level(to, 2 * to, depth - 1, skips), new ConvTranspose2d(2 * to, to, kernelSize: 2, stride: 2));
        return skips
            ? new(Block(from, to), new Concat(new Identity(), below), Block(2 * to, to))
            : new(Block(from, to), below, Block(to, to));
    }

    static Sequential Block(int from, int to) => new(new Conv2d(from, to, 3, padding: 1, bias: false), new BatchNorm2d(to), new ReLU());
}

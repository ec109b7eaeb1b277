using System.Numerics.Tensors;

namespace MiniCnn.Benchmarks;

/// <summary>Images of uniform noise in [−1, 1).</summary>
static class RandomImages
{
    /// <summary>Returns a batch [count, C, H, W].</summary>
    public static Tensor<float> Tensor(int count, ImageShape shape, int seed = 0) =>
        System.Numerics.Tensors.Tensor.Create(Numbers(count, shape, seed), [count, shape.Channels, shape.Height, shape.Width]);

    public static float[] Numbers(int count, ImageShape shape, int seed = 0)
    {
        Random random = new(count + seed);
        float[] numbers = new float[count * shape.Length];
        foreach (ref float number in numbers.AsSpan())
            number = 2 * random.NextSingle() - 1;
        return numbers;
    }
}

using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>Random test data.</summary>
static class RandomNumbers
{
    /// <summary>Whole numbers from −3 to 3. Sums of their products are exact in float.</summary>
    public static float[] Integers(this Random random, int length) => Fill(length, () => random.Next(-3, 4));

    /// <summary>Numbers in [−1, 1).</summary>
    public static float[] Reals(this Random random, int length) => Fill(length, () => random.NextSingle() * 2 - 1);

    /// <summary>A tensor of numbers in [−1, 1).</summary>
    public static Tensor<float> Tensor(this Random random, params ReadOnlySpan<nint> lengths) =>
        System.Numerics.Tensors.Tensor.Create(random.Reals((int)TensorPrimitives.Product(lengths)), lengths);

    /// <summary>NaN everywhere: the content of an output before it is overwritten.</summary>
    public static float[] Rubbish(int length) => Fill(length, () => float.NaN);

    static float[] Fill(int length, Func<float> next)
    {
        float[] values = new float[length];
        for (int i = 0; i < length; i++)
            values[i] = next();
        return values;
    }
}

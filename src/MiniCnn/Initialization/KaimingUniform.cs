namespace MiniCnn;

/// <summary>The first values that PyTorch's Conv2d and Linear draw: U(−1/√fan_in, 1/√fan_in), the weight first, then the bias.</summary>
/// <remarks>
/// fan_in is the number of products in one output. PyTorch writes the weight's bound as kaiming_uniform with a = √5, and the last bits follow that:
/// √3 · (√(2/(1 + 5)) / √fan_in) in double. Source: torch/nn/init.py, reset_parameters of _ConvNd and Linear.
/// </remarks>
static class KaimingUniform
{
    public static void Draw(TorchGenerator generator, Parameter weight, Parameter? bias)
    {
        double fanIn = weight.Value.FlattenedLength / weight.Value.Lengths[0];
        Fill(generator, weight, (float)(Math.Sqrt(3) * (Math.Sqrt(2.0 / (1 + 5)) / Math.Sqrt(fanIn))));
        if (bias is not null)
            Fill(generator, bias, (float)(1 / Math.Sqrt(fanIn)));
    }

    static void Fill(TorchGenerator generator, Parameter parameter, float bound)
    {
        foreach (ref float value in parameter.ValueAs<float>())
            value = generator.NextUniform(-bound, bound);
    }
}

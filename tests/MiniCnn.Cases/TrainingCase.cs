using System.Numerics.Tensors;

namespace MiniCnn.Cases;

/// <summary>Ten training steps of a network by SGD with momentum and weight decay: the losses, the final weights and running statistics.</summary>
/// <param name="Net">Name of the network.</param>
/// <param name="Make">Creates the network.</param>
/// <param name="Batch">Batch size N.</param>
/// <param name="Shape">Shape of an image.</param>
sealed record TrainingCase(string Net, Func<Sequential> Make, int Batch, ImageShape Shape) : Case("Ten training steps")
{
    public const int Steps = 10;
    public const float LearningRate = 0.01f, Momentum = 0.9f, WeightDecay = 5e-4f;

    public override Rounding Rounding => Rounding.Training;

    /// <summary>The longest sum of a step: over all images and pixels for the gradient of a weight, or over all inputs of an output.</summary>
    public override int Terms => (int)Math.Max(Batch * (long)Shape.Height * Shape.Width, Make().Parameters.Max(p => (long)p.Value.FlattenedLength / p.Value.Lengths[0]));

    /// <summary>Output shape of an image: logits of the image or of each pixel.</summary>
    ImageShape Output { get; } = Make().OutputShape(Shape);

    /// <summary>One label per image or pixel.</summary>
    public int[] Labels(int step) => [.. Enumerable.Range(0, Batch * Output.Height * Output.Width).Select(i => (3 * i + step) % Output.Channels)];

    public override Numbers Inputs()
    {
        TorchGenerator random = new(Seed);
        Sequential net = Make();
        net.Initialize(Seed);
        Numbers inputs = [];
        foreach (Parameter p in net.Parameters)
            inputs.Add(p.Name, p.Value.AsSpan());
        for (int step = 0; step < Steps; step++)
            inputs.Add($"{step}.x", Reals(random, Batch * Shape.Length));
        return inputs;
    }

    public override Numbers Float(Numbers inputs)
    {
        Sequential net = Make();
        foreach (Parameter p in net.Parameters)
            inputs.Floats(p.Name).CopyTo(p.Value.AsSpan());
        Sgd optimizer = new(net.Parameters, LearningRate, Momentum, weightDecay: WeightDecay);
        CrossEntropyLoss crossEntropy = new();
        double[] losses = new double[Steps];
        for (int step = 0; step < Steps; step++)
        {
            Tensor<float> x = Tensor.Create(inputs.Floats($"{step}.x"), [Batch, Shape.Channels, Shape.Height, Shape.Width]), y = net.Forward(x, training: true);
            losses[step] = crossEntropy.Forward(y, Labels(step));
            net.Backward(crossEntropy.Backward());
            optimizer.Step();
            optimizer.ZeroGrad();
        }
        Numbers results = new() { ["losses"] = losses };
        foreach (StoredTensor stored in net.Stored.Where(stored => stored.Form != "I64 []"))
            results.Add(stored.Name, stored.Save().As<float>());
        return results;
    }

    public override string ToString() => $"{Id}, {Net} on {Batch}×{Shape}, SGD({LearningRate}, momentum {Momentum}, weight decay {WeightDecay})";
}

using System.Numerics.Tensors;

namespace MiniCnn.Cases;

/// <summary>Ten training steps of a whole net by SGD with momentum and weight decay: its losses, its last weights and statistics.</summary>
/// <param name="Net">The net's name.</param>
/// <param name="Make">The net.</param>
/// <param name="Batch">N, images a step.</param>
/// <param name="Shape">An image.</param>
sealed record TrainingCase(string Net, Func<Sequential> Make, int Batch, ImageShape Shape) : Case("Ten training steps")
{
    public const int Steps = 10;
    public const float LearningRate = 0.01f, Momentum = 0.9f, WeightDecay = 5e-4f;

    public override Rounding Rounding => Rounding.Training;

    /// <summary>The longest sum of a step: that of a weight over all images and pixels of the widest layer, or over all of an image's inputs.</summary>
    public override int Terms => (int)Math.Max(Batch * (long)Shape.Height * Shape.Width, Make().Parameters.Max(p => (long)p.Value.FlattenedLength / p.Value.Lengths[0]));

    /// <summary>The output of an image: logits, of it or of each pixel.</summary>
    ImageShape Output { get; } = Make().OutputShape(Shape);

    /// <summary>One a sample, or a pixel.</summary>
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

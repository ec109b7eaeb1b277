using System.Numerics.Tensors;

namespace MiniCnn.Cases;

/// <summary>
/// A layer or network: its output, gradients and buffers. If it has buffers, also the output and gradients in evaluation mode.
/// </summary>
/// <param name="Subject">Name of the tested layer.</param>
/// <param name="Make">Creates the layer.</param>
/// <param name="Batch">Batch size N.</param>
/// <param name="Shape">Shape of an image.</param>
record LayerCase(string Subject, Func<Layer> Make, int Batch, ImageShape Shape) : Case(Subject)
{
    /// <summary>Number of passes, each on its own inputs.</summary>
    public int Steps { get; init; } = 1;

    /// <summary>Whether the passes run in training mode.</summary>
    public bool Trains { get; init; } = true;

    /// <summary>Inputs are in scale · [−1, 1) + shift.</summary>
    public float Scale { get; init; } = 1;

    /// <inheritdoc cref="Scale"/>
    public float Shift { get; init; }

    /// <summary>If above 0, all inputs are integers up to this size, so that all sums are exact.</summary>
    public int Whole { get; init; }

    /// <summary>The kind of rounding error bound for real inputs.</summary>
    public Rounding Real { get; init; } = Rounding.Formula;

    /// <summary>The largest number of terms in a sum.</summary>
    public int Sum { get; init; } = 1;

    public override Rounding Rounding => Whole > 0 ? Rounding.Exact : Real;

    // A formula has up to 16 operations in addition to its sums. An exp or log counts as three.
    public override int Terms => Sum + (Real == Rounding.Formula ? 16 : 1);

    // GELU's rational approximation of erfc has an error of at most 10⁻¹¹.
    public override double Approximation => Subject == nameof(GELU) ? 1e-11 : 0;

    /// <summary>Whether it is a max pool: each y is one of the x, and dx depends on the choice.</summary>
    public bool Picks => Make() is MaxPool2d or AdaptiveMaxPool2d;

    // Running statistics are stored as floats. They and the results that depend on them are compared only in float.
    public override bool IsFloatOnly(string result) => result.StartsWith("eval", StringComparison.Ordinal) || Make().Stored.Any(stored => stored.Name == result);

    public override Numbers Inputs()
    {
        TorchGenerator random = new(Seed);
        Layer layer = Make();
        layer.Initialize(Seed);
        Numbers inputs = [];
        foreach (Parameter p in layer.Parameters)
        {
            // Random weights, because the initial ones and zeros of a norm would hide errors.
            float[] value = p.Value.AsSpan().ToArray();
            double[] change = Whole > 0 ? Integers(random, value.Length, Whole) : Reals(random, value.Length, scale: 0.5f);
            inputs.Add(p.Name, [.. value.Zip(change, (v, c) => Whole > 0 ? c : (float)(v + c))]);
        }
        for (int step = 0; step < Steps; step++)
        {
            double[] x = Draw(Batch * Shape.Length);
            inputs.Add(Named("x", step), Whole > 0 ? x : [.. x.Select(value => (double)(float)(Scale * value + Shift))]);
            inputs.Add(Named("dy", step), Draw(Batch * layer.OutputShape(Shape).Length));
        }
        return inputs;

        double[] Draw(long length) => Whole > 0 ? Integers(random, length, Whole) : Reals(random, length);
    }

    /// <summary>Name of a tensor in a step: “x”, or “2.x” if there are several steps.</summary>
    public string Named(string name, int step) => Steps == 1 ? name : $"{step}.{name}";

    /// <summary>Returns the layer with the case's weights and its last input, after a training pass that changes the running statistics.</summary>
    public (Layer Layer, Tensor<float> X) Trained()
    {
        Numbers inputs = Inputs();
        Layer layer = Make();
        layer.ConvolutionAlgorithm = ConvolutionAlgorithm.Direct;
        foreach (Parameter p in layer.Parameters)
            inputs.Floats(p.Name).CopyTo(p.Value.AsSpan());
        Tensor<float> x = ToTensor(inputs.Floats(Named("x", Steps - 1)), Shape);
        layer.Forward(x, training: true);
        return (layer, x);
    }

    // The direct sum, which is exact for integers.
    public override Numbers Float(Numbers inputs) => Float(inputs, ConvolutionAlgorithm.Direct);

    protected Numbers Float(Numbers inputs, ConvolutionAlgorithm algorithm)
    {
        Layer layer = Make();
        layer.ConvolutionAlgorithm = algorithm;
        ImageShape output = layer.OutputShape(Shape);
        foreach (Parameter p in layer.Parameters)
            inputs.Floats(p.Name).CopyTo(p.Value.AsSpan());
        Numbers results = [];
        for (int step = 0; step < Steps; step++)
        {
            results.Add(Named("y", step), layer.Forward(ToTensor(inputs.Floats(Named("x", step)), Shape), Trains, differentiable: true).AsSpan());
            AddGradients(step, name => Named(name, step));
        }
        HashSet<string> learnt = [.. layer.Parameters.Select(p => p.Name)];
        foreach (StoredTensor stored in layer.Stored.Where(stored => !learnt.Contains(stored.Name)))
        {
            SafeTensors.Entry entry = stored.Save();
            if (entry.Type == "I64")
                results.Add(stored.Name, [entry.As<long>()[0]]);
            else
                results.Add(stored.Name, entry.As<float>());
        }
        if (layer.Stored.Count() > learnt.Count)
        {
            results.Add("eval", layer.Forward(ToTensor(inputs.Floats(Named("x", Steps - 1)), Shape), differentiable: true).AsSpan());
            AddGradients(Steps - 1, name => $"eval.{name}");
        }
        return results;

        void AddGradients(int step, Func<string, string> named)
        {
            foreach (Parameter p in layer.Parameters)
                p.Gradient.AsSpan().Clear();
            results.Add(named("dx"), layer.BackwardToInput(ToTensor(inputs.Floats(Named("dy", step)), output)).AsSpan());
            foreach (Parameter p in layer.Parameters)
                results.Add(named($"d{p.Name}"), p.Gradient.AsSpan());
        }
    }

    public override Numbers Double(Numbers inputs)
    {
        Layer layer = Make();
        foreach (Parameter p in layer.Parameters)
        {
            p.BeginCheck();
            inputs[p.Name].CopyTo(p.ValueAs<double>());
        }
        ScalarRun<double> function = new(layer, Batch, Shape, Trains);
        Numbers results = [];
        for (int step = 0; step < Steps; step++)
        {
            results.Add(Named("y", step), function.Forward(inputs[Named("x", step)]));
            foreach (Parameter p in layer.Parameters)
                p.GradientAs<double>().Clear();
            results.Add(Named("dx", step), function.Backward(inputs[Named("dy", step)]));
            foreach (Parameter p in layer.Parameters)
                results.Add(Named($"d{p.Name}", step), p.GradientAs<double>().ToArray());
        }
        foreach (Parameter p in layer.Parameters)
            p.EndCheck();
        return results;
    }

    /// <summary>Returns a description: “GroupNorm(2, 6) of 3×6×5×4”.</summary>
    public sealed override string ToString() =>
        $"{Id}, {Make()} of {Batch}×{Shape}{(Whole > 0 ? $", integers to {Whole}" : "")}{(Trains ? "" : ", in evaluation")}";

    Tensor<float> ToTensor(float[] numbers, ImageShape shape) =>
        Tensor.Create(numbers, LayerSession.Lengths(Batch, shape));
}

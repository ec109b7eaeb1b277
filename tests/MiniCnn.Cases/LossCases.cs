using System.Numerics.Tensors;

namespace MiniCnn.Cases;

/// <summary>A loss and its gradient. Bounds refer to a tensor's largest number, because a small gradient may be a difference of large terms.</summary>
abstract record LossCase(string Subject, long[] Shape) : Case(Subject)
{
    /// <summary>Scale of the model's outputs.</summary>
    public float Scale { get; init; } = 3;

    /// <summary>The reduction. Null for no reduction: the gradient is that of Σ dlosses · losses.</summary>
    public Reduction? Reduction { get; init; } = MiniCnn.Reduction.Mean;

    /// <summary>Number of losses before the reduction.</summary>
    public virtual long Losses => Length;

    public long Length => Shape.Aggregate(1L, (product, size) => product * size);

    public override Rounding Rounding => Rounding.Formula;

    // PyTorch sums in float. exp and log of a range of this many units have as many rounding errors.
    public override int Terms => (int)Length + 16 + (int)(2 * Scale);

    public sealed override string ToString() =>
        $"{Id}, {this.Options()} of [{string.Join(", ", Shape)}]{(Reduction is MiniCnn.Reduction.Mean ? "" : $", {Reduction?.ToString() ?? "not reduced"}")}";

    /// <summary>Description of the loss and its options.</summary>
    protected abstract string Options();

    protected Tensor<float> ToTensor(float[] numbers) => Tensor.Create(numbers, [.. Shape.Select(size => (nint)size)]);

    /// <summary>Adds dlosses if the losses are not reduced.</summary>
    protected Numbers Complete(Numbers inputs, TorchGenerator random)
    {
        if (Reduction is null)
            inputs.Add("dlosses", Reals(random, Losses));
        return inputs;
    }

    protected Numbers Results(Numbers inputs, Loss loss, Func<float> forward, Func<Tensor<float>> forwardEach)
    {
        Numbers results = [];
        Tensor<float>? losses = Reduction is null ? forwardEach() : null;
        results.Add("loss", losses is null ? [forward()] : losses.AsSpan());
        results.Add("gradient", (losses is null ? loss.Backward() : loss.Backward(Tensor.Create(inputs.Floats("dlosses"), losses.Lengths))).AsSpan());
        return results;
    }

    /// <summary>Returns a label per loss, with some ignored.</summary>
    protected int[] Draw(int classes, int[]? ignored, int ignoreIndex)
    {
        TorchGenerator random = new(Seed + 1);
        int[] labels = [.. Enumerable.Range(0, (int)Losses).Select(_ => (int)(random.NextUInt32() % classes))];
        foreach (int sample in ignored ?? [])
            labels[sample] = ignoreIndex;
        return labels;
    }

    protected Numbers Results(Numbers inputs, Loss loss)
    {
        (Tensor<float> outputs, Tensor<float> targets) = (ToTensor(inputs.Floats("outputs")), ToTensor(inputs.Floats("targets")));
        return Results(inputs, loss, () => loss.Forward(outputs, targets), () => loss.ForwardEach(outputs, targets));
    }
}

/// <summary>Cross-entropy of logits [N, classes], or of each pixel of [N, classes, H, W].</summary>
/// <param name="N">Number of samples or images.</param>
/// <param name="Classes">Number of classes.</param>
/// <param name="Weighted">Whether classes have weights.</param>
/// <param name="Smoothing">Label smoothing.</param>
/// <param name="Ignored">Indices of the samples with the ignored label.</param>
/// <param name="IgnoreIndex">The ignored label.</param>
/// <param name="Soft">Whether targets are probabilities with the shape of the logits instead of labels.</param>
/// <param name="Plane">H and W.</param>
sealed record CrossEntropyCase(
    int N, int Classes, bool Weighted = false, float Smoothing = 0, int[]? Ignored = null, int IgnoreIndex = -100, bool Soft = false, Size2d? Plane = null)
    : LossCase(nameof(CrossEntropyLoss), Plane is { } plane ? [N, Classes, plane.Height, plane.Width] : [N, Classes])
{
    public override long Losses => Length / Classes;

    /// <summary>One label per loss.</summary>
    public int[] Labels => Draw(Classes, Ignored, IgnoreIndex);

    // Σ exp(z − max) and the softmax are close to 1 if one class is certain. A mean divides the gradient by the number of losses.
    public override double Intermediate(string result) => result == "loss" || Reduction is not MiniCnn.Reduction.Mean ? 1 : 1.0 / Losses;

    public override Numbers Inputs()
    {
        TorchGenerator random = new(Seed);
        Numbers inputs = new() { ["outputs"] = Reals(random, Length, Scale) };
        if (Weighted)
            inputs.Add("weight", [.. Reals(random, Classes).Select(value => (double)(float)(value + 1.125))]);
        if (Soft)                                                            // their sums are 1 up to rounding
        {
            double[] shares = [.. Reals(random, Length).Select(value => value + 1.0625)];
            int plane = (int)Losses / N;
            inputs.Add("targets", [.. shares.Select((share, i) => (double)(float)(share / Enumerable.Range(0, Classes).Sum(c => shares[First(i) + c * plane])))]);

            int First(int i) => i / plane / Classes * Classes * plane + i % plane;
        }
        return Complete(inputs, random);
    }

    public override Numbers Float(Numbers inputs)
    {
        CrossEntropyLoss loss = new(Weighted ? inputs.Floats("weight") : null, IgnoreIndex, Smoothing, Reduction ?? default);
        Tensor<float> logits = ToTensor(inputs.Floats("outputs"));
        return Soft ? Results(inputs, loss) : Results(inputs, loss, () => loss.Forward(logits, Labels), () => loss.ForwardEach(logits, Labels));
    }

    protected override string Options() =>
        $"cross-entropy({(Weighted ? "weights, " : "")}smoothing {Smoothing}, {(Soft ? "probabilities" : $"{Ignored?.Length ?? 0} ignored as {IgnoreIndex}")})";
}

/// <summary>Binary cross-entropy of logits. Targets are 0 and 1, or between.</summary>
sealed record BceCase(long[] Shape, int PositiveWeights = 0, bool Soft = false) : LossCase(nameof(BceWithLogitsLoss), Shape)
{
    public override Numbers Inputs()
    {
        TorchGenerator random = new(Seed);
        double[] targets = [.. Reals(random, Length).Select(value => Soft ? (value + 1) / 2 : value > 0 ? 1 : 0)];
        Numbers inputs = new() { ["outputs"] = Reals(random, Length, Scale), ["targets"] = targets };
        if (PositiveWeights > 0)
            inputs.Add("weight", [.. Reals(random, PositiveWeights).Select(value => (double)(float)(value + 1.125))]);
        return Complete(inputs, random);
    }

    public override Numbers Float(Numbers inputs) =>
        Results(inputs, new BceWithLogitsLoss(PositiveWeights > 0 ? inputs.Floats("weight") : null, Reduction ?? default));

    protected override string Options() => $"binary cross-entropy({PositiveWeights} positive weights{(Soft ? ", soft targets" : "")})";
}

/// <summary>Losses of binary masks with one logit per pixel and ignored pixels. A DiceLoss ignores pixels of images, a BceWithLogitsLoss single losses.</summary>
sealed record MaskCase(string Loss, int N, Size2d Plane, int[]? Ignored = null, float Smooth = 1, bool Soft = false) : LossCase(Loss, [N, 1, Plane.Height, Plane.Width])
{
    public bool IsDice => Loss == nameof(DiceLoss);

    /// <summary>One label per pixel.</summary>
    public int[] Labels => (this with { Loss = nameof(BceWithLogitsLoss) }).Draw(2, Ignored, -100);

    public override long Losses => IsDice ? N : Length;

    public override Numbers Inputs()
    {
        TorchGenerator random = new(Seed);
        Numbers inputs = new() { ["outputs"] = Reals(random, Length, Scale) };
        if (Soft)
            inputs.Add("targets", [.. Reals(random, Length).Select(value => (double)(float)((value + 1) / 2))]);
        return Complete(inputs, random);
    }

    public override Numbers Float(Numbers inputs)
    {
        LabelLoss loss = IsDice ? new DiceLoss(Smooth, Reduction ?? default) : new BceWithLogitsLoss(reduction: Reduction ?? default);
        Tensor<float> logits = ToTensor(inputs.Floats("outputs"));
        return Soft ? Results(inputs, loss) : Results(inputs, loss, () => loss.Forward(logits, Labels), () => loss.ForwardEach(logits, Labels));
    }

    protected override string Options() => $"{Loss}({(Soft ? "soft targets, " : "")}smooth {Smooth}, {Ignored?.Length ?? 0} ignored)";
}

/// <summary>The mean squared error.</summary>
sealed record MseCase(params long[] Shape) : LossCase(nameof(MseLoss), Shape)
{
    public override Numbers Inputs()
    {
        TorchGenerator random = new(Seed);
        return Complete(new() { ["outputs"] = Reals(random, Length, Scale), ["targets"] = Reals(random, Length) }, random);
    }

    public override Numbers Float(Numbers inputs) => Results(inputs, new MseLoss(Reduction ?? default));

    protected override string Options() => "mean squared error";
}

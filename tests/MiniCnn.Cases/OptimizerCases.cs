namespace MiniCnn.Cases;

/// <summary>Ten steps of a weight [3, 4] and a bias [3] with given gradients. The learning rate is halved from the sixth step on.</summary>
abstract record OptimizerCase(string Subject) : Case(Subject)
{
    public const int Steps = 10, Halved = 5, Features = 4, Outputs = 3;

    public override Rounding Rounding => Rounding.Formula;

    // A step has up to 16 operations per number.
    public override int Terms => 16 * Steps;

    public override Numbers Inputs()
    {
        TorchGenerator random = new(Seed);
        Numbers inputs = new() { ["weight"] = Reals(random, Outputs * Features), ["bias"] = Reals(random, Outputs) };
        for (int step = 0; step < Steps; step++)
        {
            // Gradients differ in size by a factor of 1000, as in a network. Those of the last step are large.
            float scale = step == Steps - 1 ? 10 : 1;
            inputs.Add($"{step}.dweight", [.. Reals(random, Outputs * Features, scale).Select((g, i) => (double)(float)(g * Math.Pow(10, i % Features - 3)))]);
            inputs.Add($"{step}.dbias", Reals(random, Outputs, scale));
        }
        return inputs;
    }

    public override Numbers Float(Numbers inputs)
    {
        Linear layer = new(Features, Outputs);
        Optimizer[] optimizers = Make(layer);
        Parameter[] parameters = [.. layer.Parameters];
        foreach (Parameter p in parameters)
            inputs.Floats(p.Name).CopyTo(p.ValueAs<float>());
        Numbers results = [];
        for (int step = 0; step < Steps; step++)
        {
            foreach (Parameter p in parameters)
                inputs.Floats($"{step}.d{p.Name}").CopyTo(p.GradientAs<float>());
            foreach (Optimizer optimizer in optimizers)
            {
                if (step == Halved)
                    optimizer.LearningRate /= 2;
                optimizer.Step();
            }
            foreach (Parameter p in parameters)
                results.Add($"{step}.{p.Name}", p.ValueAs<float>());
        }
        return results;
    }

    protected abstract Optimizer[] Make(Linear layer);
}

sealed record SgdCase(float Momentum = 0, float Dampening = 0, float WeightDecay = 0, bool Nesterov = false) : OptimizerCase(nameof(Sgd))
{
    public const float LearningRate = 0.05f;

    protected override Optimizer[] Make(Linear layer) => [new Sgd(layer.Parameters, LearningRate, Momentum, Dampening, WeightDecay, Nesterov)];

    public override string ToString() => $"{Id}, Sgd({LearningRate}, momentum {Momentum}, dampening {Dampening}, weight decay {WeightDecay}, {Nesterov})";
}

/// <summary>Adam or AdamW. With Groups, the bias has a separate optimizer without weight decay.</summary>
sealed record AdamCase(
    bool Decoupled, float LearningRate = 1e-3f, double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0, bool Groups = false)
    : OptimizerCase(Decoupled ? nameof(AdamW) : nameof(Adam))
{
    protected override Optimizer[] Make(Linear layer) => Groups
        ? [Of([layer.Weight], WeightDecay), Of([layer.Bias!], 0)]
        : [Of(layer.Parameters, WeightDecay)];

    Optimizer Of(IEnumerable<Parameter> parameters, double decay) => Decoupled
        ? new AdamW(parameters, LearningRate, Beta1, Beta2, Epsilon, decay)
        : new Adam(parameters, LearningRate, Beta1, Beta2, Epsilon, decay);

    public override string ToString() =>
        $"{Id}, {Subject}({LearningRate}, {Beta1}, {Beta2}, {Epsilon}, weight decay {WeightDecay}{(Groups ? ", two groups" : "")})";
}

/// <summary>Gradients clipped to a maximum total norm.</summary>
sealed record ClipNormCase(float MaxNorm) : Case($"{nameof(GradientClipping)}.{nameof(GradientClipping.ClipNorm)}")
{
    public override Rounding Rounding => Rounding.Formula;

    public override int Terms => 45 + 16;

    public override Numbers Inputs()
    {
        TorchGenerator random = new(Seed);
        return new() { ["dweight"] = Reals(random, 36), ["dbias"] = Reals(random, 4) };
    }

    public override Numbers Float(Numbers inputs)
    {
        Linear layer = new(9, 4);
        foreach (Parameter p in layer.Parameters)
            inputs.Floats($"d{p.Name}").CopyTo(p.GradientAs<float>());
        Numbers results = new() { ["norm"] = [GradientClipping.ClipNorm(layer.Parameters, MaxNorm)] };
        foreach (Parameter p in layer.Parameters)
            results.Add($"d{p.Name}", p.GradientAs<float>());
        return results;
    }

    public override string ToString() => $"{Id}, to {MaxNorm}";
}

/// <summary>Learning rates of two optimizers for values that first improve and then stagnate.</summary>
sealed record PlateauCase(
    int Epochs, bool HigherIsBetter = false, double Factor = 0.1, int Patience = 10, double Threshold = 1e-4, int Cooldown = 0, double MinRate = 0)
    : Case(nameof(ReduceOnPlateau))
{
    public static readonly float[] Rates = [0.05f, 0.002f];

    public override Rounding Rounding => Rounding.Sums;

    // One product per reduction and one rounding to float.
    public override int Terms => 2;

    /// <summary>The values fall at first and then rise about as often as they fall. If higher is better, they are negated.</summary>
    public override Numbers Inputs()
    {
        TorchGenerator random = new(Seed);
        double[] values = Reals(random, Epochs, 0.1f);
        for (int i = 0; i < Epochs; i++)
            values[i] = (float)((HigherIsBetter ? -1 : 1) * (values[i] + Math.Max(1 - i / 8.0, 0)) + (HigherIsBetter ? 3 : 2));
        return new() { ["values"] = values };
    }

    public override Numbers Float(Numbers inputs)
    {
        ReduceOnPlateau by = new() { Factor = Factor, Patience = Patience, Threshold = Threshold, Cooldown = Cooldown, MinRate = (float)MinRate };
        ReduceOnPlateau.State state = new();
        List<double> rates = [];
        foreach (double value in inputs["values"])
        {
            state.Step(value, HigherIsBetter, by);
            rates.AddRange(Rates.Select(rate => (double)state.Of(rate, by)));
        }
        return new() { ["rates"] = [.. rates] };
    }

    public override string ToString() => $"{Id}, {Epochs} epochs, by {Factor} after {Patience}, threshold {Threshold}, cooldown {Cooldown}, least {MinRate}";
}

/// <summary>The learning rates of a schedule. Both sides compute in double and round once, so they differ by at most one float.</summary>
abstract record ScheduleCase(string Method, int Steps) : Case($"{nameof(LearningRate)}.{Method}")
{
    public const double Rate = 0.05;

    public override Rounding Rounding => Rounding.Sums;

    public override int Terms => 2;

    public override Numbers Inputs() => [];

    public override Numbers Float(Numbers inputs) => new() { ["rates"] = [.. Enumerable.Range(0, Steps).Select(step => (double)At(step))] };

    protected abstract float At(int step);
}

sealed record StepCase(int Steps, int Every, double Factor = 0.1) : ScheduleCase(nameof(LearningRate.Step), Steps)
{
    protected override float At(int step) => LearningRate.Step(step, Every, Rate, Factor);

    public override string ToString() => $"{Id}, {Rate}, every {Every} of {Steps} by {Factor}";
}

sealed record CosineCase(int Steps, int WarmUp = 0, double Final = 0) : ScheduleCase(nameof(LearningRate.Cosine), Steps)
{
    protected override float At(int step) => LearningRate.Cosine(step, Steps - 1, Rate, WarmUp, Final);

    public override string ToString() => $"{Id}, {Rate}, {Steps} steps, warm-up {WarmUp}, to {Final}";
}

sealed record OneCycleCase(int Steps, double WarmUp = 0.3, double StartDivisor = 25, double FinalDivisor = 1e4, bool IsLinear = false)
    : ScheduleCase(nameof(LearningRate.OneCycle), Steps)
{
    protected override float At(int step) => LearningRate.OneCycle(step, Steps, Rate, WarmUp, StartDivisor, FinalDivisor, IsLinear);

    public override string ToString() => $"{Id}, {Rate}, {Steps} steps, warm-up {WarmUp}, {StartDivisor}, {FinalDivisor}{(IsLinear ? ", linear" : "")}";
}

using MiniCnn.Cases;
using MiniCnn.Interop;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MiniCnn.Judge;

/// <summary>A case written with TorchSharp. It can run several times on different inputs.</summary>
abstract class TorchCase(ScalarType type) : IDisposable
{
    readonly DisposeScope scope = NewDisposeScope();

    public static TorchCase Of(Case c, ScalarType type) => c switch
    {
        LayerCase layer => new TorchLayer(layer, type),
        LossCase loss => new TorchLoss(loss, type),
        OptimizerCase optimizer => new TorchOptimizer(optimizer, type),
        ClipNormCase clip => new TorchClip(clip, type),
        ScheduleCase schedule => new TorchSchedule(schedule, type),
        PlateauCase plateau => new TorchPlateau(plateau, type),
        TrainingCase training => new TorchTraining(training, type),
        _ => new TorchDraws(c, type),
    };

    public Numbers Run(Numbers inputs)
    {
        using DisposeScope call = NewDisposeScope();
        Numbers results = [];
        Run(inputs, (name, tensor) => results.Add(name, ToArray(tensor)));
        return results;
    }

    public void Dispose() => scope.Dispose();

    protected abstract void Run(Numbers inputs, Action<string, Tensor> add);

    protected Tensor ToTensor(double[] numbers, params long[] shape) => tensor(numbers, shape, ScalarType.Float64).to(type);

    /// <summary>Returns the labels as a tensor: [N], or [N, H, W].</summary>
    protected static Tensor Labels(int[] labels, Tensor logits) =>
        tensor(Array.ConvertAll(labels, label => (long)label), [logits.shape[0], .. logits.shape[2..]]);

    static double[] ToArray(Tensor tensor) => tensor.detach().to(ScalarType.Float64).contiguous().data<double>().ToArray();
}

/// <summary>The TorchSharp module of a layer or network. Each run starts from the initial buffers.</summary>
abstract class TorchModule : TorchCase
{
    readonly (string Name, TorchParameter Parameter)[] parameters;
    readonly (string Name, Tensor Buffer, Tensor First)[] buffers;

    protected TorchModule(Layer layer, ScalarType type) : base(type)
    {
        Module = layer.ToTorchSharp().to(type);
        parameters = [.. Module.named_parameters()];
        buffers = [.. Module.named_buffers().Select(b => (b.name, b.buffer, b.buffer.clone()))];
    }

    protected nn.Module<Tensor, Tensor> Module { get; }

    protected IReadOnlyList<(string Name, TorchParameter Parameter)> Parameters => parameters;

    protected IReadOnlyList<(string Name, Tensor Buffer, Tensor First)> Buffers => buffers;

    /// <summary>Loads the weights of the inputs and the initial buffers.</summary>
    protected void Begin(Numbers inputs)
    {
        using IDisposable none = no_grad();
        foreach ((string name, TorchParameter p) in parameters)
        {
            p.copy_(tensor(inputs[name], p.shape, ScalarType.Float64));
            p.grad = null;
        }
        foreach ((_, Tensor buffer, Tensor first) in buffers)
            buffer.copy_(first);
    }
}

/// <summary>A layer with gradients by autograd.</summary>
sealed class TorchLayer(LayerCase c, ScalarType type) : TorchModule(c.Make(), type)
{
    protected override void Run(Numbers inputs, Action<string, Tensor> add)
    {
        Begin(inputs);
        long[] images = c.Shape.IsFlat ? [c.Batch, c.Shape.Channels] : [c.Batch, c.Shape.Channels, c.Shape.Height, c.Shape.Width];
        Module.train(c.Trains);
        for (int step = 0; step < c.Steps; step++)
            Add(step, c.Named("y", step), name => c.Named(name, step));
        foreach ((string name, Tensor buffer, _) in Buffers)
            add(name, buffer);
        if (Buffers.Count == 0)
            return;
        Module.eval();
        Add(c.Steps - 1, "eval", name => $"eval.{name}");

        void Add(int step, string output, Func<string, string> named)
        {
            Tensor x = ToTensor(inputs[c.Named("x", step)], images).requires_grad_(), y = Module.call(x);
            add(output, y);
            double[] dy = inputs[c.Named("dy", step)];
            if (dy.Length != y.numel())
                throw new InvalidDataException($"{c}: MiniCnn's y has {dy.Length} numbers, but TorchSharp's is [{string.Join(", ", y.shape)}]");
            IList<Tensor> gradients = autograd.grad([y], [x, .. Parameters.Select(p => p.Parameter)], [ToTensor(dy, y.shape)]);
            add(named("dx"), gradients[0]);
            for (int i = 0; i < Parameters.Count; i++)
                add(named($"d{Parameters[i].Name}"), gradients[i + 1]);
        }
    }
}

sealed class TorchLoss(LossCase c, ScalarType type) : TorchCase(type)
{
    protected override void Run(Numbers inputs, Action<string, Tensor> add)
    {
        Tensor outputs = ToTensor(inputs["outputs"], c.Shape).requires_grad_();
        Tensor? weight = inputs.TryGetValue("weight", out double[]? numbers) ? ToTensor(numbers, numbers.Length) : null;
        Tensor? targets = inputs.TryGetValue("targets", out numbers) ? ToTensor(numbers, c.Shape) : null;
        nn.Reduction reduction = c.Reduction is { } one ? Enum.Parse<nn.Reduction>($"{one}") : nn.Reduction.None;
        Tensor loss = c switch
        {
            CrossEntropyCase ce => F.cross_entropy(outputs, targets ?? Labels(ce.Labels, outputs), weight, ce.IgnoreIndex, reduction, ce.Smoothing),
            MaskCase mask => Reduce(mask, outputs, targets ?? ToTensor(Array.ConvertAll(mask.Labels, label => label == 1 ? 1.0 : 0), c.Shape)),
            BceCase => F.binary_cross_entropy_with_logits(outputs, targets!, reduction: reduction, pos_weights: weight),
            _ => F.mse_loss(outputs, targets!, reduction),
        };
        add("loss", loss);
        Tensor[] dlosses = c.Reduction is null ? [ToTensor(inputs["dlosses"], loss.shape)] : [];
        add("gradient", autograd.grad([loss], [outputs], dlosses)[0]);
    }

    /// <summary>Computes the binary cross-entropy or the soft Dice loss of the pixels that are not ignored.</summary>
    Tensor Reduce(MaskCase mask, Tensor outputs, Tensor targets)
    {
        Tensor known = ToTensor(Array.ConvertAll(mask.Labels, label => label == -100 ? 0.0 : 1), c.Shape), counts = known, losses;
        if (mask.IsDice)
        {
            long[] image = [1, 2, 3];
            Tensor shares = outputs.sigmoid() * known;
            losses = 1 - (2 * (shares * targets).sum(image) + mask.Smooth) / ((shares + targets).sum(image) + mask.Smooth);
            counts = known.sum(image).sign();
        }
        else
            losses = F.binary_cross_entropy_with_logits(outputs, targets, reduction: nn.Reduction.None);
        losses *= counts;
        return c.Reduction switch { null => losses, Reduction.Sum => losses.sum(), _ => losses.sum() / counts.sum() };
    }
}

sealed class TorchOptimizer(OptimizerCase c, ScalarType type) : TorchCase(type)
{
    protected override void Run(Numbers inputs, Action<string, Tensor> add)
    {
        TorchParameter weight = new(ToTensor(inputs["weight"], OptimizerCase.Outputs, OptimizerCase.Features));
        TorchParameter bias = new(ToTensor(inputs["bias"], OptimizerCase.Outputs));
        optim.Optimizer[] optimizers = c switch
        {
            SgdCase s => [optim.SGD([weight, bias], SgdCase.LearningRate, s.Momentum, s.Dampening, s.WeightDecay, s.Nesterov)],
            AdamCase { Groups: true } a => [Adam(a, [weight], a.WeightDecay), Adam(a, [bias], 0)],
            _ => [Adam((AdamCase)c, [weight, bias], ((AdamCase)c).WeightDecay)],
        };
        for (int step = 0; step < OptimizerCase.Steps; step++)
        {
            weight.grad = ToTensor(inputs[$"{step}.dweight"], weight.shape);
            bias.grad = ToTensor(inputs[$"{step}.dbias"], bias.shape);
            foreach (optim.Optimizer optimizer in optimizers)
            {
                if (step == OptimizerCase.Halved)
                    foreach (optim.ILearningRateController group in optimizer.ParamGroups)
                        group.LearningRate /= 2;
                optimizer.step();
            }
            add($"{step}.weight", weight);
            add($"{step}.bias", bias);
        }
        foreach (optim.Optimizer optimizer in optimizers)
            optimizer.Dispose();
    }

    static optim.Optimizer Adam(AdamCase a, TorchParameter[] parameters, double decay) => a.Decoupled
        ? optim.AdamW(parameters, a.LearningRate, a.Beta1, a.Beta2, a.Epsilon, decay)
        : optim.Adam(parameters, a.LearningRate, a.Beta1, a.Beta2, a.Epsilon, decay);
}

sealed class TorchClip(ClipNormCase c, ScalarType type) : TorchCase(type)
{
    protected override void Run(Numbers inputs, Action<string, Tensor> add)
    {
        TorchParameter[] parameters = [.. inputs.Values.Select(numbers => new TorchParameter(ToTensor(new double[numbers.Length], numbers.Length)))];
        foreach ((TorchParameter p, double[] numbers) in parameters.Zip(inputs.Values))
            p.grad = ToTensor(numbers, numbers.Length);
        add("norm", tensor(nn.utils.clip_grad_norm_(parameters, c.MaxNorm)));
        foreach ((TorchParameter p, string name) in parameters.Zip(inputs.Keys))
            add(name, p.grad!);
    }
}

sealed class TorchSchedule(ScheduleCase c, ScalarType type) : TorchCase(type)
{
    protected override void Run(Numbers inputs, Action<string, Tensor> add)
    {
        using SGD optimizer = optim.SGD([new TorchParameter(zeros(1))], ScheduleCase.Rate, momentum: 0.9);
        optim.lr_scheduler.LRScheduler scheduler = c switch
        {
            StepCase s => optim.lr_scheduler.StepLR(optimizer, s.Every, s.Factor),
            CosineCase { WarmUp: 0 } s => optim.lr_scheduler.CosineAnnealingLR(optimizer, s.Steps - 1, s.Final),
            CosineCase s => optim.lr_scheduler.SequentialLR(
                optimizer,
                [
                    optim.lr_scheduler.LinearLR(optimizer, 1.0 / (s.WarmUp + 1), 1, s.WarmUp),
                    optim.lr_scheduler.CosineAnnealingLR(optimizer, s.Steps - 1 - s.WarmUp, s.Final),
                ],
                [s.WarmUp]),
            _ => OneCycle(optimizer, (OneCycleCase)c),
        };
        double[] rates = new double[c.Steps];
        for (int step = 0; step < c.Steps; step++)
        {
            rates[step] = optimizer.ParamGroups.Single().LearningRate;
            if (step < c.Steps - 1)
                scheduler.step();
        }
        add("rates", tensor(rates));
    }

    static optim.lr_scheduler.LRScheduler OneCycle(SGD optimizer, OneCycleCase s) => optim.lr_scheduler.OneCycleLR(
        optimizer, ScheduleCase.Rate, total_steps: s.Steps, pct_start: s.WarmUp, div_factor: s.StartDivisor, final_div_factor: s.FinalDivisor,
        anneal_strategy: s.IsLinear ? optim.lr_scheduler.impl.OneCycleLR.AnnealStrategy.Linear : optim.lr_scheduler.impl.OneCycleLR.AnnealStrategy.Cos);
}

sealed class TorchPlateau(PlateauCase c, ScalarType type) : TorchCase(type)
{
    protected override void Run(Numbers inputs, Action<string, Tensor> add)
    {
        SGD[] optimizers = Array.ConvertAll(PlateauCase.Rates, rate => optim.SGD([new TorchParameter(zeros(1))], rate));
        optim.lr_scheduler.LRScheduler[] schedulers = Array.ConvertAll(optimizers, optimizer => optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, c.HigherIsBetter ? "max" : "min", c.Factor, c.Patience, c.Threshold, "rel", c.Cooldown, [c.MinRate]));
        List<double> rates = [];
        foreach (double value in inputs["values"])
        {
            foreach ((SGD optimizer, optim.lr_scheduler.LRScheduler scheduler) in optimizers.Zip(schedulers))
            {
                scheduler.step(value);
                rates.Add(optimizer.ParamGroups.Single().LearningRate);
            }
        }
        add("rates", tensor(rates));
        foreach (SGD optimizer in optimizers)
            optimizer.Dispose();
    }
}

sealed class TorchTraining(TrainingCase c, ScalarType type) : TorchModule(c.Make(), type)
{
    protected override void Run(Numbers inputs, Action<string, Tensor> add)
    {
        Begin(inputs);
        using SGD optimizer = optim.SGD(
            Parameters.Select(p => p.Parameter), TrainingCase.LearningRate, TrainingCase.Momentum, weight_decay: TrainingCase.WeightDecay);
        List<Tensor> losses = [];
        for (int step = 0; step < TrainingCase.Steps; step++)
        {
            optimizer.zero_grad();
            Tensor y = Module.call(ToTensor(inputs[$"{step}.x"], c.Batch, c.Shape.Channels, c.Shape.Height, c.Shape.Width));
            Tensor loss = F.cross_entropy(y, Labels(c.Labels(step), y));
            loss.backward();
            optimizer.step();
            losses.Add(loss.detach().reshape(1));
        }
        add("losses", cat(losses));
        foreach ((string name, TorchParameter p) in Parameters)
            add(name, p);
        foreach ((string name, Tensor buffer, _) in Buffers.Where(b => b.Buffer.dtype != ScalarType.Int64))
            add(name, buffer);
    }
}

/// <summary>Cases that depend only on a seed.</summary>
sealed class TorchDraws(Case c, ScalarType type) : TorchCase(type)
{
    protected override void Run(Numbers inputs, Action<string, Tensor> add)
    {
        manual_seed(c.Seed);
        switch (c)
        {
            case PermutationCase permutation:
                add("order", randperm(permutation.N, dtype: ScalarType.Int64));
                break;
            case InitializeCase layer:
                foreach ((string name, TorchParameter p) in TorchModules.Of(layer.Make()).named_parameters())
                    add(name, p);
                break;
            case InitCase init:
                Tensor weight = empty([.. init.Shape.Select(size => (long)size)]);
                nn.init.FanInOut mode = init.Mode == FanMode.FanIn ? nn.init.FanInOut.FanIn : nn.init.FanInOut.FanOut;
                add("weight", (init.Kaiming, init.Normal) switch
                {
                    (true, true) => nn.init.kaiming_normal_(weight, init.Argument, mode),
                    (true, false) => nn.init.kaiming_uniform_(weight, init.Argument, mode),
                    (false, true) => weight.normal_(0, init.Argument * Math.Sqrt(2.0 / (init.FanIn + init.FanOut))),    // xavier_normal_ is uniform
                    _ => nn.init.xavier_uniform_(weight, init.Argument),
                });
                break;
        }
    }
}

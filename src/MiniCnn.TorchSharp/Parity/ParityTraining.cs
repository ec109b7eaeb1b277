using System.Numerics.Tensors;
using static TorchSharp.torch;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;
using Tensor = TorchSharp.torch.Tensor;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MiniCnn.Interop;

public static partial class Parity
{
    /// <summary>
    /// Trains both from the module's weights on the same batches, and says at which step what parts: the loss, a gradient, a parameter. Model and module are
    /// left as they were, to the bit.
    /// </summary>
    /// <remarks>
    /// The module trains in double. Errors of rounding grow from step to step; how fast is seen in four more runs of the module with rounding put in by chance, as
    /// in <see cref="Compare"/>. What stays within twice the largest of these moves is drift, since the model is one more such run; what is beyond is a difference.
    /// </remarks>
    /// <param name="model">A model, or a layer.</param>
    /// <param name="module">As in <see cref="Compare"/>: it trains in the mode that it is in.</param>
    /// <param name="batches">One batch a step; ten are enough for most.</param>
    /// <param name="optimizer">Makes the model's optimizer of its parameters.</param>
    /// <param name="moduleOptimizer">Makes the module's of its parameters, one for each of its runs.</param>
    /// <param name="loss">From the model's output and the targets to the loss and its gradient with respect to the output.</param>
    /// <param name="moduleLoss">From the module's output, float64, and the targets to the loss.</param>
    /// <exception cref="ArgumentException">The layers with parameters do not pair up, or a dropout draws masks: then the two cannot agree.</exception>
    public static TrainingParityReport Train<T>(
        Layer model, Module module, IEnumerable<(Tensor<float> Images, T Targets)> batches,
        Func<IReadOnlyList<Parameter>, Optimizer> optimizer, Func<IEnumerable<TorchParameter>, optim.Optimizer> moduleOptimizer,
        Func<Tensor<float>, T, (double Loss, Tensor<float> Gradient)> loss, Func<Tensor, T, Tensor> moduleLoss)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(batches);
        TorchLibrary.Load();
        TrainingParity<T>? training = null;
        using ModuleInDouble inDouble = new(module);
        try
        {
            foreach ((Tensor<float> images, T targets) in batches)
            {
                training ??= new(model, module, inDouble, Values.Of(images), optimizer, moduleOptimizer, loss, moduleLoss);
                training.Step(images, targets);
            }
            return training?.Report() ?? throw new ArgumentException("there is no batch to train on", nameof(batches));
        }
        finally
        {
            training?.Dispose();
        }
    }

    /// <summary>As the other <c>Train</c>, of a classifier, by cross-entropy on the labels.</summary>
    /// <param name="model">A model, or a layer.</param>
    /// <param name="module">As in <see cref="Compare"/>: it trains in the mode that it is in.</param>
    /// <param name="batches">One batch a step; ten are enough for most.</param>
    /// <param name="optimizer">Makes the model's optimizer of its parameters.</param>
    /// <param name="moduleOptimizer">Makes the module's of its parameters, one for each of its runs.</param>
    /// <param name="loss">If not given, <see cref="CrossEntropyLoss"/> without options.</param>
    /// <param name="moduleLoss">From the module's output and the labels, int64, to the loss; if not given, <c>cross_entropy</c> without options.</param>
    /// <exception cref="ArgumentException">The layers with parameters do not pair up, or a dropout draws masks: then the two cannot agree.</exception>
    public static TrainingParityReport Train(
        Layer model, Module module, IEnumerable<Batch> batches, Func<IReadOnlyList<Parameter>, Optimizer> optimizer,
        Func<IEnumerable<TorchParameter>, optim.Optimizer> moduleOptimizer, CrossEntropyLoss? loss = null, Func<Tensor, Tensor, Tensor>? moduleLoss = null)
    {
        ArgumentNullException.ThrowIfNull(batches);
        CrossEntropyLoss crossEntropy = loss ?? new();
        Func<Tensor, Tensor, Tensor> theirs = moduleLoss ?? ((y, labels) => nn.functional.cross_entropy(y, labels));
        return Train(
            model, module, batches.Select(batch => (batch.Images, batch.Labels)), optimizer, moduleOptimizer,
            (y, labels) => (crossEntropy.Forward(y, labels), crossEntropy.Backward()), (y, labels) => theirs(y, tensor(labels, dtype: ScalarType.Int64)));
    }
}

/// <summary>Model and module in training, step by step.</summary>
sealed class TrainingParity<T> : IDisposable
{
    const int Draws = 4;

    readonly Layer model;
    readonly Module module;
    readonly ModuleInDouble inDouble;
    readonly Func<Tensor<float>, T, (double Loss, Tensor<float> Gradient)> loss;
    readonly Func<Tensor, T, Tensor> moduleLoss;
    readonly LeafRun layers;
    readonly (string Name, Parameter Ours, TorchParameter Theirs)[] parameters;
    readonly (string Name, StoredTensor Ours, Tensor Theirs)[] buffers;
    readonly Optimizer optimizer;
    readonly optim.Optimizer[] moduleOptimizers;         // the module's, and one for each draw
    readonly Values[][] states;                          // of the module, and in each draw
    readonly Random?[] noises = [null, .. Enumerable.Range(0, Draws).Select(draw => new Random(draw))];
    readonly double share;
    readonly List<TrainingParityStep> steps = [];
    string first = "", looksLike = "";

    public TrainingParity(
        Layer model, Module module, ModuleInDouble inDouble, Values x, Func<IReadOnlyList<Parameter>, Optimizer> optimizer,
        Func<IEnumerable<TorchParameter>, optim.Optimizer> moduleOptimizer, Func<Tensor<float>, T, (double, Tensor<float>)> loss, Func<Tensor, T, Tensor> moduleLoss)
    {
        (this.model, this.module, this.inDouble, this.loss, this.moduleLoss) = (model, module, inDouble, loss, moduleLoss);
        ModuleRecord record = inDouble.Run(x, backward: false);
        if (record.Fault is not null)
            throw new ArgumentException($"{record.Fault}; Parity.Compare says more", nameof(module));
        Dictionary<Layer, Call> pairs = Pairing.Of(model, record.Calls);
        if (Pairing.Leaves(model).FirstOrDefault(leaf => leaf is Dropout dropout && dropout.Arguments!.Single().Value.GetValue<double>() > 0) is { } random)
            throw new ArgumentException($"{random.Description}: its masks are not those of the module's dropout; compare both with probability 0", nameof(model));
        (Parameter Ours, Call? Call, string? Name)[] all =
        [
            .. Pairing.Leaves(model).SelectMany(layer => pairs.TryGetValue(layer, out Call? call)
                ? LeafRun.Names(layer, call).Select(pair => (pair.Parameter, (Call?)call, pair.Name)) : layer.Parameters.Select(p => (p, (Call?)null, (string?)null))),
        ];
        if (all.FirstOrDefault(p => p.Name is null || p.Call!.Parameters[p.Name].Numbers.Length != p.Ours.Value.FlattenedLength) is { Ours: not null } alone)
            throw new ArgumentException($"{alone.Ours} was paired with no parameter of the module; Parity.Compare says why", nameof(module));
        if (module.parameters().Count() != all.Length)
            throw new ArgumentException($"the module has {module.parameters().Count()} parameters, the model {all.Length}; Parity.Compare says which", nameof(module));

        parameters = [.. all.Select(p => (p.Ours.Name, p.Ours, p.Call!.Module.named_parameters(false).Single(own => own.name == p.Name).parameter))];
        buffers =
        [
            .. pairs.SelectMany(pair => LeafRun.Buffers(pair.Key).Where(b => pair.Value.Buffers.ContainsKey(b.Name))
                .Select(b => (b.Tensor.Name, b.Tensor, pair.Value.Module.named_buffers(false).Single(own => own.name == b.Name).buffer))),
        ];
        layers = new(model, pairs, training: true);
        layers.Reset();
        double terms = Math.Max(x.Numbers.Length / Math.Max(x.Shape[1], 1), parameters.Max(p => p.Ours.Value.FlattenedLength / p.Ours.Value.Lengths[0]));
        share = Math.Sqrt(terms) * Math.ScaleB(1, -24);
        this.optimizer = optimizer(model.Parameters);
        moduleOptimizers = [.. noises.Select(_ => moduleOptimizer([.. parameters.Select(p => p.Theirs)]))];
        states =
        [
            .. noises.Select(noise =>
            {
                inDouble.Reset(noise, share);
                return inDouble.Save();
            }),
        ];
    }

    public void Step(Tensor<float> images, T targets)
    {
        // The module, and how it moves.
        Values[] theirLoss = new Values[noises.Length], before = [.. parameters.Select(p => Values.Of(p.Ours.Value))];
        Values[][] theirGradients = new Values[noises.Length][], theirAfter = new Values[noises.Length][];
        for (int run = 0; run < noises.Length; run++)
        {
            inDouble.Load(states[run]);
            moduleOptimizers[run].zero_grad();
            theirLoss[run] = new([inDouble.Loss(Values.Of(images), y => moduleLoss(y, targets), noises[run], share)], 1);
            theirGradients[run] = [.. parameters.Select(p => Gradient(p.Theirs))];
            moduleOptimizers[run].step();
            theirAfter[run] = [.. parameters.Select(p => Values.Of(p.Theirs)), .. buffers.Select(b => Values.Of(b.Theirs))];
            states[run] = inDouble.Save();
        }

        (double ours, Tensor<float> gradient) = loss(model.Forward(images, training: true), targets);
        optimizer.ZeroGrad();
        model.Backward(gradient);
        Values[] gradients = [.. parameters.Select(p => LeafRun.GradientOf(p.Ours, inDouble: false))];
        optimizer.Step();
        Values[] after = [.. parameters.Select(p => Values.Of(p.Ours.Value)), .. buffers.Select(b => Floats(b.Ours))];

        string[] names = [.. parameters.Select(p => p.Name), .. buffers.Select(b => b.Name)];
        ParityError lossError = Error("loss", new([ours], 1), run => theirLoss[run]);
        ParityError[] gradientErrors = [.. parameters.Select((p, i) => Error($"∂loss/∂{p.Name}", gradients[i], run => theirGradients[run][i]))];
        ParityError[] afterErrors = [.. names.Select((name, i) => Error(name, after[i], run => theirAfter[run][i]))];
        TrainingParityStep step = new(
            steps.Count + 1, ours, theirLoss[0].Numbers[0], Norm(gradients), Norm(theirGradients[0]), lossError, gradientErrors.MaxBy(error => error.Share)!,
            afterErrors.MaxBy(error => error.Share)!, [.. afterErrors.Where(error => error.Share > 1).Select(error => error.Name)]);
        steps.Add(step);
        if (first != "" || step.Drifts)
            return;
        first = step.Loss.Share > 1 ? "the loss" : step.Gradient.Share > 1 ? step.Gradient.Name : step.Parameter.Name;
        looksLike = step.Loss.Share > 1 ? OfLoss(step, images.Lengths[0])
            : step.Gradient.Share > 1 ? Lookalikes.OfGradient(gradients[Index(gradientErrors, step.Gradient)], theirGradients[0][Index(gradientErrors, step.Gradient)])
            : OfStep(Index(afterErrors, step.Parameter), before, after, theirAfter[0]);

        static int Index(ParityError[] errors, ParityError worst) => Array.IndexOf(errors, worst);
    }

    public TrainingParityReport Report() => new()
    {
        Steps = steps, Drifts = first == "", LooksLike = looksLike,
        Title = $"{model} and the module {module.GetType().Name}, {steps.Count} training steps",
        Verdict = first == "" ? $"No difference: what the two have drifted apart is rounding, {steps.Max(step => step.Parameter.Share):0.00} of what it may do at most."
            : $"A difference: {first} parts at step {steps.First(step => !step.Drifts).Step}, by more than rounding explains.",
    };

    public void Dispose()
    {
        foreach (optim.Optimizer moduleOptimizer in moduleOptimizers)
            moduleOptimizer.Dispose();
        layers.Dispose();
    }

    /// <summary>What a loss looks like that is another one: the net's output is another, or what is made of it.</summary>
    static string OfLoss(TrainingParityStep step, nint batch)
    {
        double ratio = step.ModuleLoss / step.ModelLoss;
        return Math.Abs(ratio / batch - 1) < 1e-3 ? "the module's loss is the sum over the batch, the model's the mean"
            : Math.Abs(ratio * batch - 1) < 1e-3 ? "the model's loss is the sum over the batch, the module's the mean"
            : "the nets or the losses are others: Parity.Compare says whether it is the nets";
    }

    /// <summary>What an optimizer's step looks like that is another one, though the gradients are the same.</summary>
    string OfStep(int index, Values[] before, Values[] ours, Values[] theirs)
    {
        if (index >= parameters.Length)
            return "a batch norm's momentum, or its mode: Parity.Compare says which";
        if (parameters[index] is var p && p.Ours.Trainable != p.Theirs.requires_grad)
            return $"it learns in the {(p.Ours.Trainable ? "model" : "module")} alone: {(p.Ours.Trainable ? "requires_grad is false in the module" : "Trainable is false in the model")}";
        List<string> other = [];
        if (!optimizer.GetType().Name.Equals(moduleOptimizers[0].GetType().Name, StringComparison.OrdinalIgnoreCase))
            other.Add($"the module learns by {moduleOptimizers[0].GetType().Name}, the model by {optimizer.GetType().Name}");
        foreach (TorchSharp.Modules.ParamGroup group in moduleOptimizers[0].ParamGroups.OfType<TorchSharp.Modules.ParamGroup>().Where(group => group.Parameters.Contains(p.Theirs)))
        {
            IEnumerable<(string Name, double Value)> settings = [("LearningRate", optimizer.LearningRate), .. optimizer.Settings];
            foreach ((string name, double value) in settings)
            {
                double? their = Number(group.Options, name);
                if (their is not null && (float)their != (float)value)
                    other.Add(FormattableString.Invariant($"{name} is {their} in the module, {(float)value} in the model"));
            }
        }
        if (other.Count > 0)
            return string.Join("; ", other);
        double[] our = Change(ours), their2 = Change(theirs);
        double ratio = our.Zip(their2, (a, b) => a * b).Sum() / our.Sum(a => a * a);
        return our.Zip(their2).All(pair => Math.Abs(ratio * pair.First - pair.Second) <= 1e-3 * Math.Abs(pair.Second))
            ? FormattableString.Invariant($"the module's step is {ratio:G4} × the model's") : "the optimizers are others";

        double[] Change(Values[] after) => [.. after[index].Numbers.Zip(before[index].Numbers, (a, b) => a - b)];

        static double? Number(object options, string name) =>
            ((object?)options.GetType().GetField(name)?.GetValue(options) ?? options.GetType().GetProperty(name)?.GetValue(options)) switch
            {
                double number => number,
                bool flag => flag ? 1 : 0,
                _ => null,
            };
    }

    /// <summary>The model's error, beside how far the module's draws move.</summary>
    ParityError Error(string name, Values ours, Func<int, Values> theirs)
    {
        Values exact = theirs(0);
        double rounding = share * exact.Largest, bound = rounding + 2 * Enumerable.Range(1, Draws).Max(draw => theirs(draw).DifferenceFrom(exact).Error);
        (double error, int at) = ours.DifferenceFrom(exact);
        return new(name, error, error == 0 ? 0 : exact.Largest <= bound ? double.NaN : error / exact.Largest, error == 0 ? 0 : error / bound, exact.Place(at));
    }

    static Values Gradient(TorchParameter p)
    {
        using Tensor? gradient = p.grad;
        return gradient is null ? new(new double[p.numel()], p.shape) : Values.Of(gradient);
    }

    static Values Floats(StoredTensor tensor) => tensor.Save() is var saved ? new(Array.ConvertAll(saved.As<float>().ToArray(), x => (double)x), [.. saved.Shape]) : null!;

    static double Norm(Values[] gradients) => Math.Sqrt(gradients.Sum(gradient => gradient.Numbers.Sum(g => g * g)));
}

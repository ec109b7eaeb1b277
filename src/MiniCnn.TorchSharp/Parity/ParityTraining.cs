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
    /// <param name="beforeStep">If given, called with the model's optimizer and the step's number from 0, before each of its steps: to clip gradients, to set a learning rate.</param>
    /// <param name="moduleBeforeStep">The same of the module.</param>
    /// <exception cref="ArgumentException">
    /// The layers with parameters do not pair up, or a dropout draws masks: then the two cannot agree. Or the module, its loss or its optimizer fails.
    /// </exception>
    public static TrainingParityReport Train<T>(
        Layer model, Module module, IEnumerable<(Tensor<float> Images, T Targets)> batches,
        Func<IReadOnlyList<Parameter>, Optimizer> optimizer, Func<IEnumerable<TorchParameter>, optim.Optimizer> moduleOptimizer,
        Func<Tensor<float>, T, (double Loss, Tensor<float> Gradient)> loss, Func<Tensor, T, Tensor> moduleLoss,
        Action<Optimizer, int>? beforeStep = null, Action<optim.Optimizer, int>? moduleBeforeStep = null)
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
                training.Step(images, targets, beforeStep, moduleBeforeStep);
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
    /// <param name="beforeStep">If given, called with the model's optimizer and the step's number from 0, before each of its steps: to clip gradients, to set a learning rate.</param>
    /// <param name="moduleBeforeStep">The same of the module.</param>
    /// <exception cref="ArgumentException">
    /// The layers with parameters do not pair up, or a dropout draws masks: then the two cannot agree. Or the module, its loss or its optimizer fails.
    /// </exception>
    public static TrainingParityReport Train(
        Layer model, Module module, IEnumerable<Batch> batches, Func<IReadOnlyList<Parameter>, Optimizer> optimizer,
        Func<IEnumerable<TorchParameter>, optim.Optimizer> moduleOptimizer, CrossEntropyLoss? loss = null, Func<Tensor, Tensor, Tensor>? moduleLoss = null,
        Action<Optimizer, int>? beforeStep = null, Action<optim.Optimizer, int>? moduleBeforeStep = null)
    {
        ArgumentNullException.ThrowIfNull(batches);
        CrossEntropyLoss crossEntropy = loss ?? new();
        Func<Tensor, Tensor, Tensor> theirs = moduleLoss ?? ((y, labels) => nn.functional.cross_entropy(y, labels));
        return Train(
            model, module, batches.Select(batch => (batch.Images, batch.Labels)), optimizer, moduleOptimizer,
            (y, labels) => (crossEntropy.Forward(y, labels), crossEntropy.Backward()), (y, labels) => theirs(y, tensor(labels, dtype: ScalarType.Int64)),
            beforeStep, moduleBeforeStep);
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
        // As Parity.Compare has it, of the batch and of the weights.
        double terms = Math.Max(x.Numbers.Length / Math.Max(x.Shape.ElementAtOrDefault(1), 1), parameters.Max(p => p.Ours.Value.FlattenedLength / p.Ours.Value.Lengths[0]));
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
        layers = new(model, pairs, training: true);      // last: from here on the model is to be put back
        layers.Reset();
    }

    public void Step(Tensor<float> images, T targets, Action<Optimizer, int>? beforeStep, Action<optim.Optimizer, int>? moduleBeforeStep)
    {
        // The module, and how it moves.
        Values[] theirY = new Values[noises.Length], theirLoss = new Values[noises.Length], before = [.. parameters.Select(p => Values.Of(p.Ours.Value))];
        Values[][] theirGradients = new Values[noises.Length][], theirAfter = new Values[noises.Length][];
        for (int run = 0; run < noises.Length; run++)
        {
            inDouble.Load(states[run]);
            (theirY[run], double loss) = inDouble.Step(Values.Of(images), y => moduleLoss(y, targets), moduleOptimizers[run], () =>
            {
                theirGradients[run] = [.. parameters.Select(p => ModuleInDouble.GradientOf(p.Theirs))];
                moduleBeforeStep?.Invoke(moduleOptimizers[run], steps.Count);
            }, noises[run], share);
            theirLoss[run] = new([loss], 1);
            theirAfter[run] = [.. parameters.Select(p => Values.Of(p.Theirs)), .. buffers.Select(b => Values.Of(b.Theirs))];
            states[run] = inDouble.Save();
        }

        Tensor<float> y = model.Forward(images, training: true);
        (double ours, Tensor<float> gradient) = loss(y, targets);
        optimizer.ZeroGrad();
        model.Backward(gradient);
        Values[] gradients = [.. parameters.Select(p => LeafRun.GradientOf(p.Ours, inDouble: false))];
        beforeStep?.Invoke(optimizer, steps.Count);
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
        looksLike = step.Loss.Share > 1 ? OfLoss(step, Error("y", Values.Of(y), run => theirY[run]), images.Lengths[0])
            : step.Gradient.Share > 1 ? OfGradient(Index(gradientErrors, step.Gradient), gradients, theirGradients[0])
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
    static string OfLoss(TrainingParityStep step, ParityError y, nint batch)
    {
        double ratio = step.ModuleLoss / step.ModelLoss;
        return !(y.Share <= 1) ? "the nets are others: Parity.Compare says where"
            : Math.Abs(ratio / batch - 1) < 1e-3 ? "the module's loss is the sum over the batch, the model's the mean"
            : Math.Abs(ratio * batch - 1) < 1e-3 ? "the model's loss is the sum over the batch, the module's the mean"
            : "the outputs of the nets are the same, the losses are others";
    }

    string OfGradient(int index, Values[] ours, Values[] theirs) => Frozen(index) ?? Lookalikes.OfGradient(ours[index], theirs[index]);

    string? Frozen(int index) => parameters[index] is var (name, ours, theirs) && ours.Trainable == theirs.requires_grad ? null
        : ours.Trainable ? $"{name} learns in the model alone: requires_grad is false in the module" : $"{name} learns in the module alone: Trainable is false in the model";

    /// <summary>What an optimizer's step looks like that is another one, though the gradients are the same.</summary>
    string OfStep(int index, Values[] before, Values[] ours, Values[] theirs)
    {
        if (index >= parameters.Length)
            return "a batch norm's momentum, or its mode: Parity.Compare says which";
        if (Frozen(index) is { } frozen)
            return frozen;
        (_, _, TorchParameter parameter) = parameters[index];
        List<string> other = [];
        Type theirType = moduleOptimizers[0].GetType();
        while (theirType.Namespace != "TorchSharp.Modules" && theirType.BaseType is { IsAbstract: false } basis)
            theirType = basis;
        if (!optimizer.GetType().Name.Equals(theirType.Name, StringComparison.OrdinalIgnoreCase))
            other.Add($"the module learns by {theirType.Name}, the model by {optimizer.GetType().Name}");
        foreach (TorchSharp.Modules.ParamGroup group in moduleOptimizers[0].ParamGroups.OfType<TorchSharp.Modules.ParamGroup>().Where(group => group.Parameters.Contains(parameter)))
        {
            IEnumerable<(string Name, double Value)> settings = [("LearningRate", optimizer.LearningRate), .. optimizer.Settings];
            foreach ((string name, double value) in settings)
            {
                double? setting = Number(group.Options, name);
                if (setting is not null && (float)setting != (float)value)
                    other.Add(FormattableString.Invariant($"{(name == "LearningRate" ? "the learning rate" : name)} is {setting} in the module, {(float)value} in the model"));
            }
        }
        if (other.Count > 0)
            return string.Join("; ", other);
        double[] our = Change(ours), their = Change(theirs);
        double ratio = our.Zip(their, (a, b) => a * b).Sum() / our.Sum(a => a * a);
        return our.Zip(their).All(pair => Math.Abs(ratio * pair.First - pair.Second) <= 1e-3 * Math.Abs(pair.Second))
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

    static Values Floats(StoredTensor tensor)
    {
        SafeTensors.Entry saved = tensor.Save();
        return new(Array.ConvertAll(saved.As<float>().ToArray(), x => (double)x), [.. saved.Shape]);
    }

    static double Norm(Values[] gradients) => Math.Sqrt(gradients.Sum(gradient => gradient.Numbers.Sum(g => g * g)));
}

using System.Numerics.Tensors;
using static System.FormattableString;
using static TorchSharp.torch;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;
using ParamGroup = TorchSharp.Modules.ParamGroup;
using Tensor = TorchSharp.torch.Tensor;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MiniCnn.Interop;

public static partial class Parity
{
    /// <summary>
    /// Trains a model and a module from the module's weights on the same batches. Says at which step which value parts first: the loss, a gradient or
    /// a parameter. Model and module are left as they were, to the bit.
    /// </summary>
    /// <remarks>
    /// The module trains in double. Errors of rounding grow from step to step; four more runs of the module with random rounding, as in
    /// <see cref="Compare"/>, show how fast. What stays within twice their largest change is drift, since the model is one more such run; what is
    /// beyond is a difference.
    /// </remarks>
    /// <param name="model">A model, or a layer.</param>
    /// <param name="module">As in <see cref="Compare"/>: it trains in its current mode.</param>
    /// <param name="batches">One batch for each step; ten are enough in most cases.</param>
    /// <param name="optimizer">Makes the model's optimizer from its parameters.</param>
    /// <param name="moduleOptimizer">Makes the module's optimizer from its parameters, one for each of its runs.</param>
    /// <param name="loss">Takes the model's output and the targets; returns the loss and its gradient with respect to the output.</param>
    /// <param name="moduleLoss">Takes the module's output, float64, and the targets; returns the loss.</param>
    /// <param name="beforeStep">
    /// If given, called before each step of the model's optimizer, with it and the step's number from 0: to clip gradients, to set a learning rate.
    /// </param>
    /// <param name="moduleBeforeStep">The same for the module.</param>
    /// <exception cref="ArgumentException">
    /// The layers with parameters do not pair up; a dropout draws masks, so the two cannot agree; or the module, its loss or its optimizer fails.
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

    /// <summary>Trains as the other <c>Train</c> does: by cross-entropy on the labels of images, or of pixels.</summary>
    /// <param name="model">A model, or a layer.</param>
    /// <param name="module">As in <see cref="Compare"/>: it trains in its current mode.</param>
    /// <param name="batches">One batch for each step; ten are enough in most cases.</param>
    /// <param name="optimizer">Makes the model's optimizer from its parameters.</param>
    /// <param name="moduleOptimizer">Makes the module's optimizer from its parameters, one for each of its runs.</param>
    /// <param name="loss">If not given, <see cref="CrossEntropyLoss"/> without options.</param>
    /// <param name="moduleLoss">
    /// Takes the module's output and the labels, int64, [N] or [N, H, W]; returns the loss. If not given, <c>cross_entropy</c> without options.
    /// </param>
    /// <param name="beforeStep">
    /// If given, called before each step of the model's optimizer, with it and the step's number from 0: to clip gradients, to set a learning rate.
    /// </param>
    /// <param name="moduleBeforeStep">The same for the module.</param>
    /// <exception cref="ArgumentException">
    /// The layers with parameters do not pair up; a dropout draws masks, so the two cannot agree; or the module, its loss or its optimizer fails.
    /// </exception>
    public static TrainingParityReport Train(
        Layer model, Module module, IEnumerable<Batch> batches,
        Func<IReadOnlyList<Parameter>, Optimizer> optimizer, Func<IEnumerable<TorchParameter>, optim.Optimizer> moduleOptimizer,
        LabelLoss? loss = null, Func<Tensor, Tensor, Tensor>? moduleLoss = null,
        Action<Optimizer, int>? beforeStep = null, Action<optim.Optimizer, int>? moduleBeforeStep = null)
    {
        ArgumentNullException.ThrowIfNull(batches);
        if (moduleLoss is null && loss is not (null or CrossEntropyLoss))
            throw new ArgumentException($"{loss} needs a {nameof(moduleLoss)} that says the same of the module's output", nameof(moduleLoss));
        loss ??= new CrossEntropyLoss();
        Func<Tensor, Tensor, Tensor> theirs = moduleLoss ?? ((y, labels) => nn.functional.cross_entropy(y, labels));
        return Train(
            model, module, batches.Select(batch => (batch.Images, batch.Labels)), optimizer, moduleOptimizer,
            (y, labels) => (loss.Forward(y, labels), loss.Backward()),
            (y, labels) => theirs(y, tensor(labels, dtype: ScalarType.Int64).reshape([y.shape[0], .. y.shape[2..]])), beforeStep, moduleBeforeStep);
    }
}

/// <summary>Trains a model and a module step by step.</summary>
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
    readonly optim.Optimizer[] moduleOptimizers;         // for the exact run of the module, then for each draw
    readonly Values[][] states;                          // parameters and buffers, likewise
    readonly Random?[] noises = [null, .. Enumerable.Range(0, Draws).Select(draw => new Random(draw))];
    readonly double share;
    readonly List<TrainingParityStep> steps = [];
    string first = "", looksLike = "";

    public TrainingParity(
        Layer model, Module module, ModuleInDouble inDouble, Values x,
        Func<IReadOnlyList<Parameter>, Optimizer> optimizer, Func<IEnumerable<TorchParameter>, optim.Optimizer> moduleOptimizer,
        Func<Tensor<float>, T, (double, Tensor<float>)> loss, Func<Tensor, T, Tensor> moduleLoss)
    {
        (this.model, this.module, this.inDouble, this.loss, this.moduleLoss) = (model, module, inDouble, loss, moduleLoss);
        ModuleRecord record = inDouble.Run(x, backward: false);
        if (record.Fault is not null)
            throw new ArgumentException($"{record.Fault}; Parity.Compare says more", nameof(module));
        Dictionary<Layer, Call> pairs = Pairing.Of(model, record.Calls);
        if (Pairing.Leaves(model).OfType<Dropout>().FirstOrDefault(dropout => !dropout.HoldInEvaluation && HasMasks(dropout)) is { } dropout)
        {
            throw new ArgumentException(
                $"{dropout.Description}: its masks are not those of the module's dropout; compare both with probability 0, or held in evaluation", nameof(model));
        }
        (Parameter Ours, Call? Call, string? Name)[] all = [.. Pairing.Leaves(model).SelectMany(Paired)];
        if (all.FirstOrDefault(p => !HasPartner(p)) is { Ours: not null } alone)
            throw new ArgumentException($"{alone.Ours} was paired with no parameter of the module; Parity.Compare says why", nameof(module));
        int count = module.parameters().Count();
        if (count != all.Length)
            throw new ArgumentException($"the module has {count} parameters, the model {all.Length}; Parity.Compare says which", nameof(module));

        parameters = [.. all.Select(p => (p.Ours.Name, p.Ours, p.Call!.Module.named_parameters(false).Single(own => own.name == p.Name).parameter))];
        buffers =
        [
            .. from pair in pairs
               from b in LeafRun.Buffers(pair.Key)
               where pair.Value.Buffers.ContainsKey(b.Name)
               select (b.Tensor.Name, b.Tensor, pair.Value.Module.named_buffers(false).Single(own => own.name == b.Name).buffer),
        ];
        // The longest sum, of the batch and of the weights, as in Parity.Compare.
        double terms = Math.Max(
            x.Numbers.Length / Math.Max(x.Shape.ElementAtOrDefault(1), 1),
            parameters.Max(p => p.Ours.Value.FlattenedLength / p.Ours.Value.Lengths[0]));
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
        layers = new(model, pairs, training: true);      // last, since only Dispose puts the model back
        layers.Reset();

        static bool HasMasks(Dropout dropout) => dropout.Probability > 0;

        IEnumerable<(Parameter, Call?, string?)> Paired(Layer layer) => pairs.TryGetValue(layer, out Call? call)
            ? ParameterPairs.Of(layer, call).Select(pair => (pair.Parameter, (Call?)call, pair.Name))
            : layer.Parameters.Select(p => (p, (Call?)null, (string?)null));

        static bool HasPartner((Parameter Ours, Call? Call, string? Name) p) =>
            p.Name is not null && p.Call!.Parameters[p.Name].Numbers.Length == p.Ours.Value.FlattenedLength;
    }

    public void Step(Tensor<float> images, T targets, Action<Optimizer, int>? beforeStep, Action<optim.Optimizer, int>? moduleBeforeStep)
    {
        // The module, and how it moves.
        Values[] before = [.. parameters.Select(p => Values.Of(p.Ours.Value))];
        Values[] theirY = new Values[noises.Length], theirLoss = new Values[noises.Length];
        Values[][] theirGradients = new Values[noises.Length][], theirAfter = new Values[noises.Length][];
        for (int run = 0; run < noises.Length; run++)
        {
            inDouble.Load(states[run]);
            (theirY[run], double loss) = inDouble.Step(
                Values.Of(images), y => moduleLoss(y, targets), moduleOptimizers[run], () => AfterBackward(run), noises[run], share);
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
        Values[] after = [.. parameters.Select(p => Values.Of(p.Ours.Value)), .. buffers.Select(b => Values.Of(b.Ours))];

        string[] names = [.. parameters.Select(p => p.Name), .. buffers.Select(b => b.Name)];
        ParityError lossError = Error("loss", new([ours], 1), run => theirLoss[run]);
        ParityError[] gradientErrors = [.. parameters.Select((p, i) => Error($"∂loss/∂{p.Name}", gradients[i], run => theirGradients[run][i]))];
        ParityError[] afterErrors = [.. names.Select((name, i) => Error(name, after[i], run => theirAfter[run][i]))];
        TrainingParityStep step = new(
            steps.Count + 1, ours, theirLoss[0].Numbers[0], Norm(gradients), Norm(theirGradients[0]),
            lossError, gradientErrors.MaxBy(error => error.Share)!, afterErrors.MaxBy(error => error.Share)!,
            [.. afterErrors.Where(error => error.Share > 1).Select(error => error.Name)]);
        steps.Add(step);
        if (first != "" || step.Drifts)
            return;
        (first, looksLike) =
            step.Loss.Share > 1 ? ("the loss", OfLoss(step, Error("y", Values.Of(y), run => theirY[run]), images.Lengths[0]))
            : step.Gradient.Share > 1 ? (step.Gradient.Name, OfGradient(Array.IndexOf(gradientErrors, step.Gradient), gradients, theirGradients[0]))
            : (step.Parameter.Name, OfStep(Array.IndexOf(afterErrors, step.Parameter), before, after, theirAfter[0]));

        void AfterBackward(int run)
        {
            theirGradients[run] = [.. parameters.Select(p => ModuleInDouble.GradientOf(p.Theirs))];
            moduleBeforeStep?.Invoke(moduleOptimizers[run], steps.Count);
        }
    }

    public TrainingParityReport Report()
    {
        string verdict = first == ""
            ? Invariant($"No difference: what the two have drifted apart is rounding, {steps.Max(step => step.Parameter.Share):0.00} of what it may do at most.")
            : $"A difference: {first} parts at step {steps.First(step => !step.Drifts).Step}, by more than rounding explains.";
        return new()
        {
            Steps = steps,
            Drifts = first == "",
            LooksLike = looksLike,
            Verdict = verdict,
            Title = $"{model} and the module {module.GetType().Name}, {steps.Count} training steps",
        };
    }

    public void Dispose()
    {
        foreach (optim.Optimizer moduleOptimizer in moduleOptimizers)
            moduleOptimizer.Dispose();
        layers.Dispose();
    }

    /// <summary>Why the loss differs: the net's output does, or what is computed from it.</summary>
    static string OfLoss(TrainingParityStep step, ParityError y, nint batch)
    {
        double ratio = step.ModuleLoss / step.ModelLoss;
        return !(y.Share <= 1) ? "the nets are others: Parity.Compare says where"
            : Math.Abs(ratio / batch - 1) < 1e-3 ? "the module's loss is the sum over the batch, the model's the mean"
            : Math.Abs(ratio * batch - 1) < 1e-3 ? "the model's loss is the sum over the batch, the module's the mean"
            : "the outputs of the nets are the same, the losses are others";
    }

    string OfGradient(int index, Values[] ours, Values[] theirs) => Frozen(index) ?? TensorPatterns.OfGradient(ours[index], theirs[index]);

    string? Frozen(int index)
    {
        (string name, Parameter ours, TorchParameter theirs) = parameters[index];
        return ours.Trainable == theirs.requires_grad ? null
            : ours.Trainable ? $"{name} learns in the model alone: requires_grad is false in the module"
            : $"{name} learns in the module alone: Trainable is false in the model";
    }

    /// <summary>Why the optimizer's step differs, though the gradients are the same.</summary>
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
        IEnumerable<(string Name, double Value)> settings = [("LearningRate", optimizer.LearningRate), .. optimizer.Settings];
        foreach (ParamGroup group in moduleOptimizers[0].ParamGroups.OfType<ParamGroup>().Where(group => group.Parameters.Contains(parameter)))
        {
            foreach ((string name, double value) in settings)
            {
                string called = name == "LearningRate" ? "the learning rate" : name;
                if (Number(group.Options, name) is { } setting && (float)setting != (float)value)
                    other.Add(Invariant($"{called} is {setting} in the module, {(float)value} in the model"));
            }
        }
        if (other.Count > 0)
            return string.Join("; ", other);
        double[] our = Change(ours), their = Change(theirs);
        double ratio = our.Zip(their, (a, b) => a * b).Sum() / our.Sum(a => a * a);
        return our.Zip(their).All(pair => Math.Abs(ratio * pair.First - pair.Second) <= 1e-3 * Math.Abs(pair.Second))
            ? Invariant($"the module's step is {ratio:G4} × the model's")
            : "the optimizers are others";

        double[] Change(Values[] after) => [.. after[index].Numbers.Zip(before[index].Numbers, (a, b) => a - b)];

        static double? Number(object options, string name) =>
            ((object?)options.GetType().GetField(name)?.GetValue(options) ?? options.GetType().GetProperty(name)?.GetValue(options)) switch
            {
                double number => number,
                bool flag => flag ? 1 : 0,
                _ => null,
            };
    }

    /// <summary>The model's error, compared with how far the draws of the module are from its exact run.</summary>
    ParityError Error(string name, Values ours, Func<int, Values> theirs)
    {
        Values exact = theirs(0);
        double largest = Enumerable.Range(1, Draws).Max(draw => theirs(draw).DifferenceFrom(exact).Error);
        return ParityError.Of(name, ours, exact, bound: share * exact.Largest + 2 * largest);
    }

    static double Norm(Values[] gradients) => Math.Sqrt(gradients.Sum(gradient => gradient.Numbers.Sum(g => g * g)));
}

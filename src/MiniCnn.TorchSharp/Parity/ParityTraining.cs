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
    /// Trains a model and a module on the same batches, both from the module's weights. Reports the first step and value (loss, gradient or parameter)
    /// that deviates. Afterwards, model and module are bit-identical to before.
    /// </summary>
    /// <remarks>
    /// The module trains in double. Rounding errors grow from step to step. Four more runs of the module with random rounding, as in
    /// <see cref="Compare"/>, measure this growth. The model is like one more such run: an error within the rounding bound plus twice their largest change
    /// is drift, a larger error is a difference.
    /// </remarks>
    /// <param name="model">A model, or a layer.</param>
    /// <param name="module">A module as in <see cref="Compare"/>. It trains in its current mode.</param>
    /// <param name="batches">The batches, one per step. Ten are enough in most cases.</param>
    /// <param name="optimizer">Creates the model's optimizer from its parameters.</param>
    /// <param name="moduleOptimizer">Creates the module's optimizer from its parameters. Called once for each of its five runs.</param>
    /// <param name="loss">Computes the loss and its gradient with respect to the output, from the model's output and the targets.</param>
    /// <param name="moduleLoss">Computes the loss from the module's output (float64) and the targets.</param>
    /// <param name="beforeStep">
    /// Called before each step of the model's optimizer, for example to clip gradients or to set a learning rate. It receives the optimizer and the
    /// zero-based step. The default does nothing.
    /// </param>
    /// <param name="moduleBeforeStep">The same for the module's optimizer.</param>
    /// <exception cref="ArgumentException">
    /// There is no batch; the parameters of model and module do not correspond; a dropout is active, so that the random masks differ; or the module, its
    /// loss or its optimizer fails.
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

    /// <summary>Trains a model and a module like the other overload, with a loss on labels of images or pixels, by default the cross-entropy.</summary>
    /// <param name="model">A model, or a layer.</param>
    /// <param name="module">A module as in <see cref="Compare"/>. It trains in its current mode.</param>
    /// <param name="batches">The batches, one per step. Ten are enough in most cases.</param>
    /// <param name="optimizer">Creates the model's optimizer from its parameters.</param>
    /// <param name="moduleOptimizer">Creates the module's optimizer from its parameters. Called once for each of its five runs.</param>
    /// <param name="loss">The model's loss. The default is <see cref="CrossEntropyLoss"/> without options.</param>
    /// <param name="moduleLoss">
    /// Computes the loss from the module's output and the labels, int64 [N] or [N, H, W]. The default is <c>cross_entropy</c> without options. Required if
    /// <paramref name="loss"/> is not a <see cref="CrossEntropyLoss"/>.
    /// </param>
    /// <param name="beforeStep">
    /// Called before each step of the model's optimizer, for example to clip gradients or to set a learning rate. It receives the optimizer and the
    /// zero-based step. The default does nothing.
    /// </param>
    /// <param name="moduleBeforeStep">The same for the module's optimizer.</param>
    /// <exception cref="ArgumentException">
    /// There is no batch; the parameters of model and module do not correspond; a dropout is active, so that the random masks differ; or the module, its
    /// loss or its optimizer fails.
    /// </exception>
    public static TrainingParityReport Train(
        Layer model, Module module, IEnumerable<Batch> batches,
        Func<IReadOnlyList<Parameter>, Optimizer> optimizer, Func<IEnumerable<TorchParameter>, optim.Optimizer> moduleOptimizer,
        LabelLoss? loss = null, Func<Tensor, Tensor, Tensor>? moduleLoss = null,
        Action<Optimizer, int>? beforeStep = null, Action<optim.Optimizer, int>? moduleBeforeStep = null)
    {
        ArgumentNullException.ThrowIfNull(batches);
        if (moduleLoss is null && loss is not (null or CrossEntropyLoss))
            throw new ArgumentException($"{loss} needs a {nameof(moduleLoss)} that computes the same loss from the module's output", nameof(moduleLoss));
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
    readonly optim.Optimizer[] moduleOptimizers;         // one for the exact run of the module, then one for each run with random rounding
    readonly Values[][] states;                          // parameters and buffers of these runs
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
            throw new ArgumentException($"{record.Fault}; call Parity.Compare for details", nameof(module));
        Dictionary<Layer, Call> pairs = Pairing.Of(model, record.Calls);
        if (Pairing.Leaves(model).OfType<Dropout>().FirstOrDefault(dropout => !dropout.HoldInEvaluation && HasMasks(dropout)) is { } dropout)
        {
            throw new ArgumentException(
                $"{dropout.Description}: its masks differ from those of the module's dropout; use probability 0 or evaluation mode in both", nameof(model));
        }
        (Parameter Ours, Call? Call, string? Name)[] all = [.. Pairing.Leaves(model).SelectMany(Paired)];
        if (all.FirstOrDefault(p => !HasPartner(p)) is { Ours: not null } alone)
            throw new ArgumentException($"{alone.Ours} was not paired with a parameter of the module; call Parity.Compare for details", nameof(module));
        int count = module.parameters().Count();
        if (count != all.Length)
            throw new ArgumentException($"the module has {count} parameters, the model {all.Length}; call Parity.Compare for details", nameof(module));

        parameters = [.. all.Select(p => (p.Ours.Name, p.Ours, p.Call!.Module.named_parameters(false).Single(own => own.name == p.Name).parameter))];
        buffers =
        [
            .. from pair in pairs
               from b in LeafRun.Buffers(pair.Key)
               where pair.Value.Buffers.ContainsKey(b.Name)
               select (b.Tensor.Name, b.Tensor, pair.Value.Module.named_buffers(false).Single(own => own.name == b.Name).buffer),
        ];
        // The longest sum over the batch or the weights, as in Parity.Compare.
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
        layers = new(model, pairs, training: true);      // last, because only Dispose restores the model
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
        // The exact run of the module, and the runs with random rounding.
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
            ? Invariant($"No difference: the drift is rounding error, at most {steps.Max(step => step.Parameter.Share):0.00} of its bound.")
            : $"Difference: {first} deviates at step {steps.First(step => !step.Drifts).Step} by more than rounding explains.";
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

    /// <summary>Returns why the loss differs: because of the outputs, or because of the loss function.</summary>
    static string OfLoss(TrainingParityStep step, ParityError y, nint batch)
    {
        double ratio = step.ModuleLoss / step.ModelLoss;
        return !(y.Share <= 1) ? "the outputs of the networks differ; call Parity.Compare for details"
            : Math.Abs(ratio / batch - 1) < 1e-3 ? "the module's loss is the sum over the batch, the model's the mean"
            : Math.Abs(ratio * batch - 1) < 1e-3 ? "the model's loss is the sum over the batch, the module's the mean"
            : "the outputs of the networks are the same, the loss functions differ";
    }

    string OfGradient(int index, Values[] ours, Values[] theirs) => Frozen(index) ?? TensorPatterns.OfGradient(ours[index], theirs[index]);

    string? Frozen(int index)
    {
        (string name, Parameter ours, TorchParameter theirs) = parameters[index];
        return ours.Trainable == theirs.requires_grad ? null
            : ours.Trainable ? $"{name} is trained only in the model: requires_grad is false in the module"
            : $"{name} is trained only in the module: Trainable is false in the model";
    }

    /// <summary>Returns why the optimizer's step differs although the gradients are the same.</summary>
    string OfStep(int index, Values[] before, Values[] ours, Values[] theirs)
    {
        if (index >= parameters.Length)
            return "the momentum or mode of a batch norm differs; call Parity.Compare for details";
        if (Frozen(index) is { } frozen)
            return frozen;
        (_, _, TorchParameter parameter) = parameters[index];
        List<string> other = [];
        Type theirType = moduleOptimizers[0].GetType();
        while (theirType.Namespace != "TorchSharp.Modules" && theirType.BaseType is { IsAbstract: false } basis)
            theirType = basis;
        if (!optimizer.GetType().Name.Equals(theirType.Name, StringComparison.OrdinalIgnoreCase))
            other.Add($"the optimizer is {theirType.Name} in the module, {optimizer.GetType().Name} in the model");
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
            : "the optimizers differ";

        double[] Change(Values[] after) => [.. after[index].Numbers.Zip(before[index].Numbers, (a, b) => a - b)];

        static double? Number(object options, string name) =>
            ((object?)options.GetType().GetField(name)?.GetValue(options) ?? options.GetType().GetProperty(name)?.GetValue(options)) switch
            {
                double number => number,
                bool flag => flag ? 1 : 0,
                _ => null,
            };
    }

    /// <summary>Returns the model's error, relative to the changes in the module's runs with random rounding.</summary>
    ParityError Error(string name, Values ours, Func<int, Values> theirs)
    {
        Values exact = theirs(0);
        double largest = Enumerable.Range(1, Draws).Max(draw => theirs(draw).DifferenceFrom(exact).Error);
        return ParityError.Of(name, ours, exact, bound: share * exact.Largest + 2 * largest);
    }

    static double Norm(Values[] gradients) => Math.Sqrt(gradients.Sum(gradient => gradient.Numbers.Sum(g => g * g)));
}

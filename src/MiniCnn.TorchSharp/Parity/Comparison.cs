using static System.FormattableString;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace MiniCnn.Interop;

/// <summary>Compares a model with the record of a module's run layer by layer, to find layers that compute different functions.</summary>
sealed class Comparison : IDisposable
{
    readonly Layer model;
    readonly Module module;
    readonly Values x;
    readonly ModuleRecord record;
    readonly bool training;
    readonly Dictionary<Layer, Call> pairs;
    readonly LeafRun layers;
    readonly Lookalikes lookalikes;
    readonly WholeRun whole;
    readonly LayerSession? held;                          // locks the model against other threads while its layers run one by one
    readonly bool floatBetween;
    readonly List<ParityDifference> differences = [], inPassing = [];    // inPassing: differences that later layers may cancel out
    readonly HashSet<object> faulty = new(ReferenceEqualityComparer.Instance);
    readonly List<string> notes = [];
    bool differsBetween;                                 // then the gradients from there differ too

    public Comparison(Layer model, Module module, Values x, ModuleRecord record, bool training)
    {
        (this.model, this.module, this.x, this.record, this.training) = (model, module, x, record, training);
        pairs = Pairing.Of(model, record.Calls);
        floatBetween = Pairing.Leaves(model).Any(leaf => leaf is CustomLayer && !pairs.ContainsKey(leaf));
        held = model is Container ? model.Session.Enter() : null;
        held?.Discard();
        layers = new(model, pairs, training);
        lookalikes = new(model, x, record, pairs, training);
        whole = new(model, x, record, pairs, layers, training);
    }

    public ParityReport Run(IEnumerable<string> notCalled)
    {
        notes.AddRange(ParameterPairs.OwnWeights(pairs));
        ForceAll();
        if (record.Calls.FirstOrDefault(call => !call.Y.IsFinite) is { } notFinite)
        {
            bool startsHere = notFinite.X.IsFinite && notFinite.Parameters.Values.All(p => p.IsFinite);
            differences.Add(new(
                $"{notFinite}", "the module's output has NaN or infinity; later layers cannot be compared",
                startsHere ? "" : "the input or the weights have NaN or infinity"));
        }
        if (record.Fault is not null)
            differences.Add(new("the module", record.Fault, ""));
        else if (inPassing.Count > 0 && whole.IsSameInTheEnd())
        {
            notes.AddRange(inPassing.Select(d => $"{d.Where}: the two differ, but not in the output of the model: {d.What}"));
            differences.RemoveAll(inPassing.Contains);
        }
        List<ParityRow> rows = whole.InFloat();
        // If layers differ but the output does not, only the last row counts: the whole model.
        IEnumerable<ParityRow> counted = inPassing.Count > 0 ? rows.TakeLast(1) : rows;
        if (differences.Count == 0 && counted.FirstOrDefault(row => row.Output?.Share > 1 || row.Gradient?.Share > 1) is { } row)
        {
            ParityError error = row.Output?.Share > 1 ? row.Output : row.Gradient!;
            differences.Add(new(
                $"{row.Layer}{(row.Module is "" ? "" : $", and {row.Module}")}",
                Invariant($"{error.Name} in float has an error of {error.Absolute:G3} at {error.At}, {error.Share:G3} times the rounding bound"),
                "the layers are the same in double: an error of MiniCnn in float, or a max pool with nearly equal inputs"));
        }
        foreach (string name in record.Fault is null ? notCalled : [])
        {
            notes.Add($"the module's {name}, was not called by .call(x): it is unused, called by .forward(x), which cannot be observed, "
                + "or a function uses its weights");
        }
        Call[] alone = [.. record.Calls.Except(pairs.Values)];
        Layer[] single = [.. Pairing.Leaves(model).Where(layer => !pairs.ContainsKey(layer) && layer.Parameters.Count > 0)];
        if (alone.Length > 0)
            notes.Add($"no layer of the model was paired with the module's {string.Join<Call>("; ", alone)}");
        if (single.Length > 0)
            notes.Add($"no module was paired with the model's {string.Join("; ", single.Select(layer => layer.Description))}");
        return new()
        {
            Title = $"{model} and the module {module.GetType().Name} on {x}, in {(training ? "training" : "evaluation")}, forward and backward",
            Layers = rows,
            Differences = differences,
            Notes = notes,
        };
    }

    public void Dispose()
    {
        layers.Dispose();
        held?.Dispose();
    }

    /// <summary>Runs every layer in double on the inputs of the module's layers.</summary>
    void ForceAll()
    {
        layers.Reset();
        (Values? y, Func<Values?, Values?> back) = new ModelWalk(Forced, rounds: false).Run(model, x);
        if (y is not null && record.Y is not null)
            Between(y, record.Y, null);
        if (record.Dy is null || y is null || !y.HasShapeOf(record.Y!))
            return;
        Values? dx = back(record.Dy);
        if (dx is not null && dx.HasShapeOf(record.Dx!) && !differsBetween && TensorPatterns.Beyond(dx, record.Dx!, floatBetween) is { } what)
            differences.Add(new("before the first layer", $"the gradient of the input: {what}", TensorPatterns.OfGradient(dx, record.Dx!)));
    }

    (Values? Y, Func<Values?, Values?> Back) Forced(Layer layer, Values? x)
    {
        Call? call = pairs.GetValueOrDefault(layer);
        if (call is null)
        {
            return x is null ? (null, _ => null)
                : Try(layer, x, out (Values Y, Func<Values, Values> Back) alone) is { } why ? Refused(layer, why)
                : (alone.Y, dy => dy is not null && dy.HasShapeOf(alone.Y) ? alone.Back(dy) : null);
        }
        if (x is not null)
            Between(x, call.X, layer);
        string where = Of(layer, call);
        (Values? Y, Func<Values?, Values?> Back) forced = (call.Y, dy => TheirDx(layer, call, dy));
        if (ParameterPairs.Fault(layer, call) is { } fault)
        {
            Add(layer, where, fault.What, fault.LooksLike, mayCancel: false);
            if (!fault.Runs)
                return forced;
        }
        if (layer is Dropout { HoldInEvaluation: false } && training)
        {
            if (Lookalikes.OfDropout((Dropout)layer, call) is { } dropout)
                Add(layer, where, dropout.What, dropout.LooksLike, mayCancel: false);
            return forced;
        }
        if (Try(layer, call.X, out (Values Y, Func<Values, Values> Back) run) is { } refusal)
        {
            Add(layer, where, $"the model's layer refuses {call.X}: {refusal}", Lookalikes.Settings(layer, call));
            return forced;
        }
        bool isFloat = !layer.RunsInDouble;
        if (!run.Y.HasShapeOf(call.Y))
            Add(layer, where, $"the output is {run.Y} in the model, {call.Y} in the module", lookalikes.OfLayer(layer, call));
        else if (TensorPatterns.Beyond(run.Y, call.Y, isFloat) is { } what)
            Add(layer, where, $"the output: {what}", lookalikes.OfLayer(layer, call, run.Y));
        else
            CompareBuffers(layer, call);
        if (faulty.Contains(layer))
            return forced;
        if (Lookalikes.Settings(layer, call) is { Length: > 0 } settings)
            notes.Add($"{where}: {settings}; this has no effect on this batch");
        if (call.Gradient is not { } gradient)
            return forced;
        return (call.Y, Back);

        Values? Back(Values? dy)
        {
            Values? before = TheirDx(layer, call, dy);
            Values dx = run.Back(gradient.Y);
            if (TensorPatterns.Beyond(dx, gradient.X, isFloat) is { } wrong)
                Add(layer, where, $"the gradient of the input: {wrong}", TensorPatterns.OfGradient(dx, gradient.X));
            foreach ((Parameter p, string? name) in ParameterPairs.Of(layer, call))
            {
                if (name is not null)
                    CompareGradient(layer, call, p, name);
            }
            return before;
        }
    }

    /// <summary>Compares the gradient of a layer's output. Returns the module's gradient of the layer's input.</summary>
    Values? TheirDx(Layer layer, Call call, Values? dy)
    {
        if (dy is not null && call.Gradient is { } g && dy.HasShapeOf(g.Y)
            && !differsBetween && !faulty.Contains(call) && TensorPatterns.Beyond(dy, g.Y, floatBetween) is { } what)
        {
            faulty.Add(call);
            differences.Add(new($"after {Of(layer, call)}", $"the gradient of the output: {what}", TensorPatterns.OfGradient(dy, g.Y)));
        }
        return call.Gradient?.X;
    }

    void CompareGradient(Layer layer, Call call, Parameter p, string name)
    {
        if (!call.Gradients.TryGetValue(name, out Values? theirs))
        {
            if (p.Trainable)
                AddFrozen("model", "module", "requires_grad is false in the module; set Trainable to false in the model, or both to true");
        }
        else if (!p.Trainable)
            AddFrozen("module", "model", "Trainable is false in the model; set requires_grad to false in the module, or both to true");
        else if (LeafRun.GradientOf(p, layer.RunsInDouble) is var ours && TensorPatterns.Beyond(ours, theirs, !layer.RunsInDouble) is { } off)
        {
            int calls = record.Calls.Count(other => other.Module == call.Module);
            Add(layer, Of(layer, call), $"the gradient of {p.ShortName}: {off}", calls > 1
                ? $"the module is called {calls} times and its gradients are summed; the model's layers do not share weights"
                : TensorPatterns.OfGradient(ours, theirs));
        }

        void AddFrozen(string learns, string frozen, string looksLike) =>
            Add(p, Of(layer, call), $"{p.Name} is trained in the {learns}, but not in the {frozen}", looksLike, mayCancel: false);
    }

    void CompareBuffers(Layer layer, Call call)
    {
        foreach ((string name, StoredTensor tensor) in LeafRun.Buffers(layer))
        {
            if (!call.After.TryGetValue(name, out Values? theirs))
                continue;
            Values ours = Values.Of(tensor);
            if (TensorPatterns.Beyond(ours, theirs, isFloat: true) is { } what)
                Add(layer, Of(layer, call), $"{name} after the batch: {what}", Lookalikes.OfBuffer(layer, call, name, ours), mayCancel: false);
        }
    }

    /// <summary>Compares the input of a layer, or the model's output if layer is null. Functions and joins of the module may come before it.</summary>
    void Between(Values ours, Values theirs, Layer? layer)
    {
        string? what = TensorPatterns.Beyond(ours, theirs, floatBetween);
        if (what is null)
            return;
        differsBetween = true;
        string where = layer is null ? "after the last layer" : $"before {Of(layer, pairs[layer])}";
        Add(where, where, $"the {(layer is null ? "output" : "input")}: {what}", lookalikes.OfBetween(layer, ours, theirs));
    }

    (Values?, Func<Values?, Values?>) Refused(Layer layer, string why)
    {
        Add(layer, layer.Description, why, "");
        return (null, _ => null);
    }

    string? Try(Layer layer, Values x, out (Values, Func<Values, Values>) run)
    {
        try
        {
            run = layers.InDouble(layer, x);
            return null;
        }
        catch (ArgumentException e)
        {
            run = default;
            return e.Message;
        }
    }

    void Add(object place, string where, string what, string looksLike, bool mayCancel = true)
    {
        // A tensor that goes into two layers, or a mode of many layers (“call module.train()”), is reported once.
        bool isMode = looksLike.Contains("module.", StringComparison.Ordinal);
        if (!faulty.Add(place) || differences.Any(d => d.Where == where || d.What == what || isMode && d.LooksLike == looksLike))
            return;
        differences.Add(new(where, what, looksLike));
        if (mayCancel)
            inPassing.Add(differences[^1]);
    }

    static string Of(Layer layer, Call call) => $"{layer.Description}, and {call}";
}

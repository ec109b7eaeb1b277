using static System.FormattableString;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace MiniCnn.Interop;

/// <summary>Compares a model with the record of a module's run: which layers are other functions, and how large the errors of float are.</summary>
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
    readonly LayerRun? held;                             // keeps other threads out of the model while its layers run one by one
    readonly bool floatBetween;
    readonly List<ParityDifference> differences = [], inPassing = [];    // inPassing: those that may cancel out in later layers
    readonly HashSet<object> faulty = new(ReferenceEqualityComparer.Instance);
    readonly List<string> notes = [];
    bool differsBetween;                                 // if so, the gradients that come from there differ too

    public Comparison(Layer model, Module module, Values x, ModuleRecord record, bool training)
    {
        (this.model, this.module, this.x, this.record, this.training) = (model, module, x, record, training);
        pairs = Pairing.Of(model, record.Calls);
        floatBetween = Pairing.Leaves(model).Any(leaf => leaf is PlainLayer && !pairs.ContainsKey(leaf));
        held = model is Container ? model.Enter() : null;
        held?.Discard();
        layers = new(model, pairs, training);
        lookalikes = new(model, x, record, pairs, training);
    }

    public ParityReport Run(IEnumerable<string> notCalled)
    {
        NoteWeights();
        ForceAll();
        if (record.Calls.FirstOrDefault(call => !call.Y.IsFinite) is { } notFinite)
        {
            bool startsHere = notFinite.X.IsFinite && notFinite.Parameters.Values.All(p => p.IsFinite);
            differences.Add(new(
                $"{notFinite}", "NaN or infinity comes out in the module: what follows cannot be compared",
                startsHere ? "" : "it came in, or stands in the weights"));
        }
        if (record.Fault is not null)
            differences.Add(new("the module", record.Fault, ""));
        else if (inPassing.Count > 0 && IsSameInTheEnd())
        {
            notes.AddRange(inPassing.Select(d => $"{d.Where} the two differ, but not in what comes out: {d.What}"));
            differences.RemoveAll(inPassing.Contains);
        }
        List<ParityRow> rows = InFloat();
        // Where layers differ in passing, only the last row counts: the whole model.
        IEnumerable<ParityRow> counted = inPassing.Count > 0 ? rows.TakeLast(1) : rows;
        if (differences.Count == 0 && counted.FirstOrDefault(row => row.Output?.Share > 1 || row.Gradient?.Share > 1) is { } row)
        {
            ParityError error = row.Output?.Share > 1 ? row.Output : row.Gradient!;
            differences.Add(new(
                $"{row.Layer}{(row.Module is "" ? "" : $", and {row.Module}")}",
                Invariant($"{error.Name} in float is off by {error.Absolute:G3} at {error.At}, {error.Share:G3} times what rounding explains"),
                "the layers are the same in double: a fault in how MiniCnn computes in float, or a maximum that is nearly tied"));
        }
        foreach (string name in record.Fault is null ? notCalled : [])
        {
            notes.Add($"the module's {name}, was not called: it is not used, or by .forward(x), which is not seen (write .call(x)), "
                + "or a function takes its weights");
        }
        Call[] alone = [.. record.Calls.Except(pairs.Values)];
        Layer[] single = [.. Pairing.Leaves(model).Where(layer => !pairs.ContainsKey(layer) && layer.Parameters.Count > 0)];
        if (alone.Length > 0)
            notes.Add($"no layer of the model was paired with the module's {string.Join<Call>("; ", alone)}");
        if (single.Length > 0)
            notes.Add($"no module was paired with the model's {string.Join("; ", single.Select(layer => layer.Description))}");
        string mode = training ? "training, forward and backward" : "evaluation";
        return new()
        {
            Title = $"{model} and the module {module.GetType().Name} on {x}, in {mode}",
            Layers = rows,
            Differences = differences,
            Notes = notes,
        };
    }

    public void Dispose()
    {
        layers.Dispose();
        held?.Leave();
    }

    /// <summary>Runs every layer in double on the module's own numbers.</summary>
    void ForceAll()
    {
        layers.Reset();
        (Values? y, Func<Values?, Values?> back) = new ModelWalk(Forced, rounds: false).Run(model, x);
        if (y is not null && record.Y is not null)
            Between(y, record.Y, null);
        if (!training || record.Dy is null || y is null || !y.HasShapeOf(record.Y!))
            return;
        Values? dx = back(record.Dy);
        if (dx is not null && dx.HasShapeOf(record.Dx!) && !differsBetween && Beyond(dx, record.Dx!, floatBetween) is { } what)
            differences.Add(new("before the first layer", $"the gradient of the input: {what}", Lookalikes.OfGradient(dx, record.Dx!)));
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
        (Values? Y, Func<Values?, Values?> Back) forced = (call.Y, dy =>
        {
            if (dy is not null && call.Gradient is { } g && dy.HasShapeOf(g.Y)
                && !differsBetween && !faulty.Contains(call) && Beyond(dy, g.Y, floatBetween) is { } what)
            {
                faulty.Add(call);
                differences.Add(new($"after {where}", $"the gradient that arrives: {what}", Lookalikes.OfGradient(dy, g.Y)));
            }
            return call.Gradient?.X;
        }
        );
        if (ParameterFault(layer, call) is { } fault)
        {
            Add(layer, where, fault.What, fault.LooksLike, mayCancel: false);
            if (!fault.Runs)
                return forced;
        }
        if (layer is Dropout && training)
        {
            if (Lookalikes.OfDropout((Dropout)layer, call) is { } dropout)
                Add(layer, where, dropout.What, dropout.LooksLike, mayCancel: false);
            return forced;
        }
        if (Try(layer, call.X, out (Values Y, Func<Values, Values> Back) run) is { } refusal)
        {
            Add(layer, where, $"the model's refuses {call.X}: {refusal}", Lookalikes.Settings(layer, call));
            return forced;
        }
        bool isFloat = !layer.RunsInDouble;
        if (!run.Y.HasShapeOf(call.Y))
            Add(layer, where, $"the output is {run.Y} in the model, {call.Y} in the module", lookalikes.OfLayer(layer, call));
        else if (Beyond(run.Y, call.Y, isFloat) is { } what)
            Add(layer, where, $"the output: {what}", lookalikes.OfLayer(layer, call, run.Y));
        else
            CompareBuffers(layer, call);
        if (faulty.Contains(layer))
            return forced;
        if (Lookalikes.Settings(layer, call) is { Length: > 0 } settings)
            notes.Add($"{where}: {settings}; this batch does not show it");
        if (call.Gradient is not { } gradient)
            return forced;
        return (call.Y, dy =>
        {
            Values? before = forced.Back(dy), dx = run.Back(gradient.Y);
            if (Beyond(dx, gradient.X, isFloat) is { } wrong)
                Add(layer, where, $"the gradient of the input: {wrong}", Lookalikes.OfGradient(dx, gradient.X));
            foreach ((Parameter p, string? name) in LeafRun.Names(layer, call))
            {
                if (name is not null)
                    CompareGradient(layer, call, p, name);
            }
            return before;
        }
        );
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
        else if (LeafRun.GradientOf(p, layer.RunsInDouble) is var ours && Beyond(ours, theirs, !layer.RunsInDouble) is { } off)
        {
            int calls = record.Calls.Count(other => other.Module == call.Module);
            Add(layer, Of(layer, call), $"the gradient of {p.ShortName}: {off}", calls > 1
                ? $"the module is called {calls} times, and its gradients are added; the model's layers share no weights"
                : Lookalikes.OfGradient(ours, theirs));
        }

        void AddFrozen(string learns, string frozen, string looksLike) =>
            Add(p, Of(layer, call), $"{p.Name} learns in the {learns}, but not in the {frozen}", looksLike, mayCancel: false);
    }

    void CompareBuffers(Layer layer, Call call)
    {
        foreach ((string name, StoredTensor tensor) in training ? LeafRun.Buffers(layer) : [])
        {
            if (!call.After.TryGetValue(name, out Values? theirs))
                continue;
            Values ours = Values.Of(tensor);
            if (Beyond(ours, theirs, isFloat: true) is { } what)
                Add(layer, Of(layer, call), $"{name} after the batch: {what}", Lookalikes.OfBuffer(layer, call, name, ours), mayCancel: false);
        }
    }

    /// <summary>Compares what comes into a layer, or out of the model: functions and joins of the module may lie before it.</summary>
    void Between(Values ours, Values theirs, Layer? layer)
    {
        string? what = Beyond(ours, theirs, floatBetween);
        if (what is null)
            return;
        differsBetween = true;
        string where = layer is null ? "after the last layer" : $"before {Of(layer, pairs[layer])}";
        Add(where, where, $"what comes {(layer is null ? "out" : "in")}: {what}", lookalikes.OfBetween(layer, ours, theirs));
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
        // A tensor that goes into two layers, or a mode that many layers are in (“call module.train()”), is named once.
        bool isMode = looksLike.Contains("module.", StringComparison.Ordinal);
        if (!faulty.Add(place) || differences.Any(d => d.Where == where || d.What == what || isMode && d.LooksLike == looksLike))
            return;
        differences.Add(new(where, what, looksLike));
        if (mayCancel)
            inPassing.Add(differences[^1]);
    }

    static string Of(Layer layer, Call call) => $"{layer.Description}, and {call}";

    /// <summary>How two tensors of one shape differ beyond rounding, in double or in float; null if they do not.</summary>
    static string? Beyond(Values ours, Values theirs, bool isFloat)
    {
        if (!ours.HasShapeOf(theirs))
            return $"it is {ours} in the model, {theirs} in the module";
        double tolerance = Lookalikes.Tolerance(theirs, isFloat);
        (double error, int worst) = ours.DifferenceFrom(theirs);
        if (error <= tolerance)
            return null;
        int first = 0, beyond = 0;
        for (int i = ours.Numbers.Length - 1; i >= 0; i--)
        {
            if (!(ours.Numbers[i].Equals(theirs.Numbers[i]) || Math.Abs(ours.Numbers[i] - theirs.Numbers[i]) <= tolerance))
                (first, beyond) = (i, beyond + 1);
        }
        double share = error / Math.Max(theirs.Largest, double.Epsilon);
        return Invariant($"{beyond} of {ours.Numbers.Length} numbers differ, by up to {error:G3}, {share:0.0E+0} of the largest; ")
            + Invariant($"first {theirs.Place(first)}: {ours.Numbers[first]:G9} in the model, {theirs.Numbers[first]:G9} in the module");
    }

    static (string What, string LooksLike, bool Runs)? ParameterFault(Layer layer, Call call)
    {
        foreach ((Parameter p, string? name) in LeafRun.Names(layer, call))
        {
            if (name is null)
            {
                string argument = p.ShortName == "bias" && layer is not (BatchNorm2d or GroupNorm or LayerNorm) ? " (bias: false)" : "";
                return (
                    $"the model has a {p.ShortName}, the module none",
                    $"the module was made without {p.ShortName}; make the model's so too{argument}, or both with", Runs: true);
            }
            Values theirs = call.Parameters[name];
            long[] ours = Values.ShapeOf(p.Value.Lengths);
            if (!ours.SequenceEqual(theirs.Shape))
            {
                string looks = Lookalikes.Settings(layer, call) is { Length: > 0 } settings ? settings : Lookalikes.OfShape(ours, theirs.Shape);
                return ($"{p.Name} is [{string.Join(", ", ours)}] in the model, {theirs} in the module", looks, Runs: false);
            }
        }
        string? more = call.Parameters.Keys.Except(LeafRun.Names(layer, call).Select(pair => pair.Name!)).FirstOrDefault();
        return more is null ? null : (
            $"the module has a {more}, the model none", $"the model was made without {more}; make the module's so too, or both with", Runs: false);
    }

    /// <summary>Notes which of the model's own weights are not the module's. Both were compared on the module's.</summary>
    void NoteWeights()
    {
        List<string> others = [];
        int same = 0;
        foreach ((Layer layer, Call call) in pairs)
        {
            foreach ((Parameter p, string? name) in LeafRun.Names(layer, call))
            {
                if (name is null || call.Parameters[name] is not { } theirs || theirs.Numbers.Length != p.Value.FlattenedLength)
                    continue;
                Values ours = new(Values.Doubles(p.ValueAs<float>()), theirs.Shape);
                if (call.Kind == nameof(GroupNorm) && theirs.Largest is > 1e6 or < 1e-6 and > 0)
                {
                    notes.Add(Invariant($"{call} has numbers up to {theirs.Largest:G3} in its {name}: ")
                        + "TorchSharp 0.107 does not set a GroupNorm's; call init.ones_ and init.zeros_");
                }
                if (ours.DifferenceFrom(theirs.Map(x => (float)x)).Error == 0)
                {
                    same += p.Value.Rank > 1 ? 1 : 0;    // every norm begins with the same ones: they do not count
                    continue;
                }
                others.Add(p.Name);
                if (Lookalikes.OfTurned(ours, theirs) is { Length: > 0 } turned)
                    notes.Add($"the model's own {p.Name} is the module's {call.Name}.{name} {turned}");
            }
        }
        if (others.Count == 0 || same == 0)              // none is the same: the weights were never copied
            return;
        string more = others.Count > 3 ? $" and {others.Count - 3} more" : "", verb = others.Count > 1 ? "are" : "is";
        notes.Add($"the model's own {string.Join(", ", others.Take(3))}{more} {verb} not the module's; both were compared on the module's");
    }

    /// <summary>Whether the whole model in double gives the module's output and gradients. Layers in another order may do so.</summary>
    bool IsSameInTheEnd()
    {
        layers.Reset();
        bool same = true, isFloat = !model.RunsInDouble;
        (Values? y, Func<Values?, Values?> back) = new ModelWalk((layer, x) => Free(layer, x, layers.InDouble, Check), rounds: false).Run(model, x);
        if (y is null || Beyond(y, record.Y!, isFloat) is not null)
            return false;
        return !training || back(record.Dy) is { } dx && Beyond(dx, record.Dx!, isFloat) is null && same;

        void Check(Parameter p, Values theirs) => same &= Beyond(LeafRun.GradientOf(p, p.Owner.RunsInDouble), theirs, isFloat) is null;
    }

    /// <summary>Runs a layer on what really comes into it; a dropout has the module's masks.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="x">What comes in.</param>
    /// <param name="run">Computes the layer.</param>
    /// <param name="gradient">Called after the layer's backward pass, with each parameter and its gradient in the module.</param>
    (Values? Y, Func<Values?, Values?> Back) Free(
        Layer layer, Values? x, Func<Layer, Values, (Values Y, Func<Values, Values> Back)> run, Action<Parameter, Values> gradient)
    {
        if (x is null)
            return (null, _ => null);
        Call? call = pairs.GetValueOrDefault(layer);
        if (layer is Dropout && training && call is not null && x.HasShapeOf(call.Y))
            return (Masked(x, call.X, call.Y), dy => dy is null || call.Gradient is not { } g ? null : Masked(dy, g.Y, g.X));
        try
        {
            (Values y, Func<Values, Values> back) = run(layer, x);
            return (y, dy =>
            {
                if (dy is null || !dy.HasShapeOf(y))
                    return null;
                Values dx = back(dy);
                foreach ((Parameter p, string? name) in call is null ? [] : LeafRun.Names(layer, call))
                    if (name is not null && p.Trainable && call!.Gradients.TryGetValue(name, out Values? theirs))
                        gradient(p, theirs);
                return dx;
            }
            );
        }
        catch (ArgumentException)
        {
            return (null, _ => null);
        }

        static Values Masked(Values of, Values from, Values to) =>
            new([.. of.Numbers.Select((number, i) => from.Numbers[i] == 0 ? 0 : number * (to.Numbers[i] / from.Numbers[i]))], of.Shape);
    }

    /// <summary>Runs the whole model in float, as a program does. Returns the errors of each layer, and those of the whole in the last row.</summary>
    List<ParityRow> InFloat()
    {
        layers.Reset();
        Dictionary<Layer, (ParityError? Output, ParityError? Gradient)> errors = new(ReferenceEqualityComparer.Instance);
        (Values? y, Func<Values?, Values?> back) = new ModelWalk((layer, input) =>
        {
            Call? call = pairs.GetValueOrDefault(layer);
            ParityError? worst = null;
            (Values? result, Func<Values?, Values?> backward) = Free(layer, input, layers.InFloat, (p, theirs) =>
                worst = Worse(worst, Error($"d{p.ShortName}", LeafRun.GradientOf(p, inDouble: false), theirs)));
            errors[layer] = (result is null || call is null ? null : Error("y", result, call.Y), null);
            return (result, dy =>
            {
                Values? dx = backward(dy);
                if (call?.Gradient is { } g && dx is not null)
                    errors[layer] = errors[layer] with { Gradient = Worse(worst, Error("dx", dx, g.X)) };
                return dx;
            }
            );
        }, rounds: true).Run(model, x);
        ParityError? output = y is null || record.Y is null ? null : Error("y", y, record.Y), gradient = null;
        if (output is not null && record.Dy is not null && back(record.Dy) is { } end)
            gradient = Error("dx", end, record.Dx!);
        return [.. Pairing.Leaves(model).Select(Row), new("whole", "", output, gradient)];

        ParityRow Row(Layer layer)
        {
            (ParityError? y, ParityError? dx) = errors.GetValueOrDefault(layer);
            return new(layer.Description, pairs.GetValueOrDefault(layer)?.ToString() ?? "", y, dx);
        }

        static ParityError? Worse(ParityError? a, ParityError? b) => a is null || b?.Share > a.Share ? b : a;
    }

    static ParityError? Error(string name, Values ours, Values theirs) =>
        ours.HasShapeOf(theirs) ? ParityError.Of(name, ours, theirs, theirs.Bound) : null;
}

using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace MiniCnn.Interop;

/// <summary>A model against what a module did: which layers are other functions, and how far float is off.</summary>
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
    readonly LayerRun? held;                             // keeps other threads out of a model whose layers run by themselves
    readonly bool floatBetween;
    readonly List<ParityDifference> differences = [], inPassing = [];    // the second: those that may cancel out later
    readonly HashSet<object> faulty = new(ReferenceEqualityComparer.Instance);
    readonly List<string> notes = [];
    bool differsBetween;                                 // then gradients that come from there differ too

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
            differences.Add(new($"{notFinite}", "NaN or infinity comes out in the module: what follows cannot be compared", notFinite.X.IsFinite && notFinite.Parameters.Values.All(p => p.IsFinite) ? "" : "it came in, or stands in the weights"));
        if (record.Fault is not null)
            differences.Add(new("the module", record.Fault, ""));
        else if (inPassing.Count > 0 && IsSameInTheEnd())
        {
            notes.AddRange(inPassing.Select(d => $"{d.Where} the two differ, but not in what comes out: {d.What}"));
            differences.RemoveAll(inPassing.Contains);
        }
        List<ParityRow> rows = InFloat();
        if (differences.Count == 0 && rows.Skip(inPassing.Count > 0 ? rows.Count - 1 : 0).FirstOrDefault(row => row.Output?.Share > 1 || row.Gradient?.Share > 1) is { } row)
        {
            ParityError error = row.Output?.Share > 1 ? row.Output : row.Gradient!;
            differences.Add(new(
                $"{row.Layer}{(row.Module is "" ? "" : $", and {row.Module}")}", FormattableString.Invariant($"{error.Name} in float is off by {error.Absolute:G3} at {error.At}, {error.Share:G3} times what rounding explains"),
                "the layers are the same in double: a fault in how MiniCnn computes in float, or a maximum that is nearly tied"));
        }
        foreach (string name in record.Fault is null ? notCalled : [])
            notes.Add($"the module's {name}, was not called: it is not used, or by .forward(x), which is not seen (write .call(x)), or a function takes its weights");
        Call[] alone = [.. record.Calls.Except(pairs.Values)];
        Layer[] single = [.. Pairing.Leaves(model).Where(layer => !pairs.ContainsKey(layer) && layer.Parameters.Count > 0)];
        if (alone.Length > 0)
            notes.Add($"no layer of the model was paired with the module's {string.Join("; ", alone.Select(call => $"{call}"))}");
        if (single.Length > 0)
            notes.Add($"no module was paired with the model's {string.Join("; ", single.Select(layer => layer.Description))}");
        return new()
        {
            Title = $"{model} and the module {module.GetType().Name} on {x}, in {(training ? "training, forward and backward" : "evaluation")}",
            Layers = rows, Differences = differences, Notes = notes,
        };
    }

    public void Dispose()
    {
        layers.Dispose();
        held?.Leave();
    }

    /// <summary>Every layer on the module's own numbers, in double.</summary>
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
            return x is null ? (null, _ => null) : Try(layer, x, out (Values Y, Func<Values, Values> Back) alone) is { } why ? Refused(layer, why) : (alone.Y, dy => dy is not null && dy.HasShapeOf(alone.Y) ? alone.Back(dy) : null);

        if (x is not null)
            Between(x, call.X, layer);
        (Values? Y, Func<Values?, Values?> Back) forced = (call.Y, dy =>
        {
            if (dy is not null && call.Gradient is { } g && dy.HasShapeOf(g.Y) && !differsBetween && !faulty.Contains(call) && Beyond(dy, g.Y, floatBetween) is { } what)
            {
                faulty.Add(call);
                differences.Add(new($"after {Of(layer, call)}", $"the gradient that arrives: {what}", Lookalikes.OfGradient(dy, g.Y)));
            }
            return call.Gradient?.X;
        });
        if (ParameterFault(layer, call) is { } fault)
        {
            Add(layer, $"{Of(layer, call)}", fault.What, fault.LooksLike, mayCancel: false);
            if (!fault.Runs)
                return forced;
        }
        if (layer is Dropout && training)
        {
            if (Lookalikes.OfDropout((Dropout)layer, call) is { } dropout)
                Add(layer, Of(layer, call), dropout.What, dropout.LooksLike, mayCancel: false);
            return forced;
        }
        if (Try(layer, call.X, out (Values Y, Func<Values, Values> Back) run) is { } refusal)
        {
            Add(layer, Of(layer, call), $"the model's refuses {call.X}: {refusal}", Lookalikes.Settings(layer, call));
            return forced;
        }
        bool isFloat = !layer.RunsInDouble;
        if (!run.Y.HasShapeOf(call.Y))
            Add(layer, Of(layer, call), $"the output is {run.Y} in the model, {call.Y} in the module", lookalikes.OfLayer(layer, call));
        else if (Beyond(run.Y, call.Y, isFloat) is { } what)
            Add(layer, Of(layer, call), $"the output: {what}", lookalikes.OfLayer(layer, call, run.Y));
        else
            CompareBuffers(layer, call);
        if (faulty.Contains(layer))
            return forced;
        if (Lookalikes.Settings(layer, call) is { Length: > 0 } settings)
            notes.Add($"{Of(layer, call)}: {settings}; this batch does not show it");
        if (call.Gradient is not { } gradient)
            return forced;
        return (call.Y, dy =>
        {
            Values? before = forced.Back(dy), dx = run.Back(gradient.Y);
            if (Beyond(dx, gradient.X, isFloat) is { } wrong)
                Add(layer, Of(layer, call), $"the gradient of the input: {wrong}", Lookalikes.OfGradient(dx, gradient.X));
            foreach ((Parameter p, string? name) in LeafRun.Names(layer, call))
            {
                if (name is null || !call.Gradients.TryGetValue(name, out Values? theirs))
                {
                    if (p.Trainable && name is not null)
                        Add(p, Of(layer, call), $"{p.Name} learns in the model, but not in the module", "requires_grad is false in the module; set Trainable to false in the model, or both to true", mayCancel: false);
                    continue;
                }
                if (!p.Trainable)
                    Add(p, Of(layer, call), $"{p.Name} learns in the module, but not in the model", "Trainable is false in the model; set requires_grad to false in the module, or both to true", mayCancel: false);
                else if (LeafRun.GradientOf(p, inDouble: !isFloat) is var ours && Beyond(ours, theirs, isFloat) is { } off)
                {
                    int calls = record.Calls.Count(other => other.Module == call.Module);
                    Add(layer, Of(layer, call), $"the gradient of {p.ShortName}: {off}", calls > 1
                        ? $"the module is called {calls} times, and its gradients are added; the model's layers share no weights" : Lookalikes.OfGradient(ours, theirs));
                }
            }
            return before;
        });
    }

    void CompareBuffers(Layer layer, Call call)
    {
        foreach ((string name, StoredTensor tensor) in training ? LeafRun.Buffers(layer) : [])
        {
            if (!call.After.TryGetValue(name, out Values? theirs))
                continue;
            Values ours = new(Array.ConvertAll(tensor.Save().As<float>().ToArray(), number => (double)number), theirs.Shape);
            if (Beyond(ours, theirs, isFloat: true) is { } what)
                Add(layer, Of(layer, call), $"{name} after the batch: {what}", Lookalikes.OfBuffer(layer, call, name, ours), mayCancel: false);
        }
    }

    /// <summary>What comes into a layer, or out of the model, where functions and joins of the module lie between.</summary>
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
        // One tensor that goes two ways, one mode of many layers: once is enough.
        if (!faulty.Add(place) || differences.Any(d => d.Where == where || d.What == what || looksLike != "" && d.LooksLike == looksLike && looksLike.Contains("module.", StringComparison.Ordinal)))
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
        return FormattableString.Invariant(
            $"{beyond} of {ours.Numbers.Length} numbers differ, by up to {error:G3}, {error / Math.Max(theirs.Largest, double.Epsilon):0.0E+0} of the largest; ")
            + FormattableString.Invariant($"first {theirs.Place(first)}: {ours.Numbers[first]:G9} in the model, {theirs.Numbers[first]:G9} in the module");
    }

    static (string What, string LooksLike, bool Runs)? ParameterFault(Layer layer, Call call)
    {
        foreach ((Parameter p, string? name) in LeafRun.Names(layer, call))
        {
            if (name is null)
            {
                return ($"the model has a {p.ShortName}, the module none", $"the module was made without {p.ShortName}; make the model's so too{(p.ShortName == "bias" && layer is not (BatchNorm2d or GroupNorm or LayerNorm) ? " (bias: false)" : "")}, or both with", Runs: true);
            }
            Values theirs = call.Parameters[name];
            long[] ours = [.. p.Value.Lengths.ToArray().Select(n => (long)n)];
            if (!ours.SequenceEqual(theirs.Shape))
            {
                string looks = Lookalikes.Settings(layer, call) is { Length: > 0 } settings ? settings
                    : ours.Length == 2 && ours.Reverse().SequenceEqual(theirs.Shape) ? "its axes are swapped: a Linear's weight is [out, in]"
                    : ours.Length == 4 && ours[..2].Reverse().Concat(ours[2..]).SequenceEqual(theirs.Shape) ? "in and out are swapped: a Conv2d's weight is [out, in/groups, kH, kW], a ConvTranspose2d's [in, out/groups, kH, kW]"
                    : ours.Length == 4 && ours[..2].Concat([ours[3], ours[2]]).SequenceEqual(theirs.Shape) ? "H and W of the kernel are swapped"
                    : "";
                return ($"{p.Name} is [{string.Join(", ", ours)}] in the model, {theirs} in the module", looks, Runs: false);
            }
        }
        string[] more = [.. call.Parameters.Keys.Except(LeafRun.Names(layer, call).Select(pair => pair.Name!))];
        return more.Length == 0 ? null : ($"the module has a {more[0]}, the model none", $"the model was made without {more[0]}; make the module's so too, or both with", Runs: false);
    }

    /// <summary>The model's own weights, where they are not the module's: both were compared on the module's.</summary>
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
                Values ours = new(Array.ConvertAll(p.ValueAs<float>().ToArray(), x => (double)x), theirs.Shape);
                if (call.Kind == nameof(GroupNorm) && theirs.Largest is > 1e6 or < 1e-6 and > 0)
                    notes.Add(FormattableString.Invariant($"{call} has numbers up to {theirs.Largest:G3} in its {name}: TorchSharp 0.107 does not set a GroupNorm's; call init.ones_ and init.zeros_"));
                if (ours.DifferenceFrom(theirs.Map(x => (float)x)).Error == 0)
                {
                    same += p.Value.Rank > 1 ? 1 : 0;    // a norm's ones are always the same
                    continue;
                }
                others.Add(p.Name);
                if (Lookalikes.OfTurned(ours, theirs) is { Length: > 0 } turned)
                    notes.Add($"the model's own {p.Name} is the module's {call.Name}.{name} {turned}");
            }
        }
        if (others.Count > 0 && same > 0)                // else they were never copied
            notes.Add($"the model's own {string.Join(", ", others.Take(3))}{(others.Count > 3 ? $" and {others.Count - 3} more" : "")} {(others.Count > 1 ? "are" : "is")} not the module's; both were compared on the module's");
    }

    /// <summary>Whether the model, whole and in double, gives the module's output and gradients: layers in another order may do so.</summary>
    bool IsSameInTheEnd()
    {
        layers.Reset();
        bool same = true;
        (Values? y, Func<Values?, Values?> back) = new ModelWalk((layer, input) => Free(layer, input, layers.InDouble, (p, theirs) => same &= Beyond(LeafRun.GradientOf(p, p.Owner.RunsInDouble), theirs, !model.RunsInDouble) is null), rounds: false).Run(model, x);
        if (y is null || Beyond(y, record.Y!, !model.RunsInDouble) is not null)
            return false;
        return !training || back(record.Dy) is { } dx && Beyond(dx, record.Dx!, !model.RunsInDouble) is null && same;
    }

    /// <summary>A layer on what really comes in; its dropout is the module's.</summary>
    (Values? Y, Func<Values?, Values?> Back) Free(Layer layer, Values? x, Func<Layer, Values, (Values Y, Func<Values, Values> Back)> run, Action<Parameter, Values> gradient)
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
            });
        }
        catch (ArgumentException)
        {
            return (null, _ => null);
        }

        static Values Masked(Values of, Values from, Values to) =>
            new([.. of.Numbers.Select((number, i) => from.Numbers[i] == 0 ? 0 : number * (to.Numbers[i] / from.Numbers[i]))], of.Shape);
    }

    /// <summary>The model as a program runs it, layer by layer.</summary>
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
            });
        }, rounds: true).Run(model, x);
        ParityError? output = y is null || record.Y is null ? null : Error("y", y, record.Y), gradient = null;
        if (output is not null && record.Dy is not null && back(record.Dy) is { } end)
            gradient = Error("dx", end, record.Dx!);
        return
        [
            .. Pairing.Leaves(model).Select(layer => new ParityRow(
                layer.Description, pairs.GetValueOrDefault(layer)?.ToString() ?? "", errors.GetValueOrDefault(layer).Output, errors.GetValueOrDefault(layer).Gradient)),
            new("whole", "", output, gradient),
        ];

        static ParityError? Worse(ParityError? a, ParityError? b) => a is null || b?.Share > a.Share ? b : a;
    }

    static ParityError? Error(string name, Values ours, Values theirs)
    {
        if (!ours.HasShapeOf(theirs))
            return null;
        (double error, int at) = ours.DifferenceFrom(theirs);
        return new(name, error, error == 0 ? 0 : theirs.Largest <= theirs.Bound ? double.NaN : error / theirs.Largest, error == 0 ? 0 : error / theirs.Bound, theirs.Place(at));
    }
}

namespace MiniCnn.Interop;

/// <summary>Runs a whole model forward and backward, each layer on the output of the one before, and compares it with a module's run.</summary>
sealed class WholeRun(Layer model, Values x, ModuleRecord record, Dictionary<Layer, Call> pairs, LeafRun layers, bool training)
{
    /// <summary>Whether the whole model in double has the module's output and gradients, for example with layers in another order.</summary>
    public bool IsSameInTheEnd()
    {
        layers.Reset();
        bool same = true, isFloat = !model.RunsInDouble;
        (Values? y, Func<Values?, Values?> back) = new ModelWalk((layer, x) => Free(layer, x, layers.InDouble, Check), rounds: false).Run(model, x);
        if (y is null || TensorPatterns.Beyond(y, record.Y!, isFloat) is not null)
            return false;
        return back(record.Dy) is { } dx && TensorPatterns.Beyond(dx, record.Dx!, isFloat) is null && same;

        void Check(Parameter p, Values theirs) => same &= TensorPatterns.Beyond(LeafRun.GradientOf(p, p.Owner.RunsInDouble), theirs, isFloat) is null;
    }

    /// <summary>Runs a layer on the output of the model's previous layer. A dropout uses the module's masks.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="x">Its input.</param>
    /// <param name="run">Computes the layer.</param>
    /// <param name="gradient">Called after the layer's backward pass, with each parameter and its gradient in the module.</param>
    (Values? Y, Func<Values?, Values?> Back) Free(
        Layer layer, Values? x, Func<Layer, Values, (Values Y, Func<Values, Values> Back)> run, Action<Parameter, Values> gradient)
    {
        if (x is null)
            return (null, _ => null);
        Call? call = pairs.GetValueOrDefault(layer);
        if (layer is Dropout { HoldInEvaluation: false } && training && call is not null && x.HasShapeOf(call.Y))
            return (Masked(x, call.X, call.Y), dy => dy is null || call.Gradient is not { } g ? null : Masked(dy, g.Y, g.X));
        try
        {
            (Values y, Func<Values, Values> back) = run(layer, x);
            return (y, dy => dy is null || !dy.HasShapeOf(y) ? null : WithGradients(back(dy)));
        }
        catch (ArgumentException)
        {
            return (null, _ => null);
        }

        Values WithGradients(Values dx)
        {
            foreach ((Parameter p, string? name) in call is null ? [] : ParameterPairs.Of(layer, call))
                if (name is not null && p.Trainable && call!.Gradients.TryGetValue(name, out Values? theirs))
                    gradient(p, theirs);
            return dx;
        }

        static Values Masked(Values of, Values from, Values to) =>
            new([.. of.Numbers.Select((number, i) => from.Numbers[i] == 0 ? 0 : number * (to.Numbers[i] / from.Numbers[i]))], of.Shape);
    }

    /// <summary>Runs the model in float layer by layer, bit-identical to a normal run. Returns a row per layer, and a last row for the whole model.</summary>
    public List<ParityRow> InFloat()
    {
        layers.Reset();
        Dictionary<Layer, (ParityError? Output, ParityError? Gradient)> errors = new(ReferenceEqualityComparer.Instance);
        (Values? y, Func<Values?, Values?> back) = new ModelWalk(WithErrors, rounds: true).Run(model, x);
        ParityError? output = y is null || record.Y is null ? null : Error("y", y, record.Y), gradient = null;
        if (output is not null && record.Dy is not null && back(record.Dy) is { } end)
            gradient = Error("dx", end, record.Dx!);
        return [.. Pairing.Leaves(model).Select(Row), new("whole", "", output, gradient)];

        (Values? Y, Func<Values?, Values?> Back) WithErrors(Layer layer, Values? input)
        {
            Call? call = pairs.GetValueOrDefault(layer);
            ParityError? worst = null;
            (Values? result, Func<Values?, Values?> backward) = Free(layer, input, layers.InFloat, (p, theirs) =>
                worst = Worse(worst, Error($"d{p.ShortName}", LeafRun.GradientOf(p, inDouble: false), theirs)));
            errors[layer] = (result is null || call is null ? null : Error("y", result, call.Y), null);
            return (result, Back);

            Values? Back(Values? dy)
            {
                Values? dx = backward(dy);
                if (call?.Gradient is { } g && dx is not null)
                    errors[layer] = errors[layer] with { Gradient = Worse(worst, Error("dx", dx, g.X)) };
                return dx;
            }
        }

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

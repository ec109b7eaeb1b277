using System.Reflection;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MiniCnn.Interop;

/// <summary>
/// Explains differences: by different settings of model and module, or by a common mistake that makes the model compute the module's numbers.
/// </summary>
sealed class Lookalikes(Layer model, Values batch, ModuleRecord record, Dictionary<Layer, Call> pairs, bool training)
{
    /// <summary>Returns the settings of a TorchSharp module that differ from the layer's, or an empty text if none do.</summary>
    public static string Settings(Layer layer, Call call)
    {
        if (layer is CustomLayer || !call.IsTorchs)
            return "";
        if (call.Kind != layer.GetType().Name)
            return $"the module has {call.Kind} where the model has {layer.GetType().Name}";
        using nn.Module own = TorchModules.Of(layer);
        Type type = own.GetType();
        if (type != call.Module.GetType() || own is Formula)
            return "";
        // With a named padding such as Padding.Same, the padding numbers have no meaning.
        bool isNamed = type.GetProperty("padding_type")?.GetValue(call.Module) is not null;
        List<string> other = [];
        foreach (PropertyInfo property in type.GetProperties().Where(p => p.DeclaringType!.Namespace == "TorchSharp.Modules" && p.Name != "inplace"))
        {
            if (property.PropertyType.IsByRefLike || property.PropertyType.IsAssignableTo(typeof(Tensor))
                || isNamed && property.Name.StartsWith("padding", StringComparison.Ordinal))
            {
                continue;
            }
            (string ours, string theirs) = (Text(property.GetValue(own)), Text(property.GetValue(call.Module)));
            if (theirs != "" && ours != theirs)
                other.Add($"{property.Name} is {theirs} in the module, {(ours is "" ? "not set" : ours)} in the model");
        }
        return string.Join("; ", other);

        static string Text(object? value) => value switch
        {
            null => "",
            long[] numbers when numbers.Distinct().Count() == 1 => $"{numbers[0]}",
            long[] numbers => $"({string.Join(", ", numbers)})",
            IFormattable number => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
            _ => $"{value}",
        };
    }

    /// <summary>Returns why a layer's output differs, or an empty text if unknown. ours is null if the shapes differ.</summary>
    public string OfLayer(Layer layer, Call call, Values? ours = null)
    {
        string text = Explanation();
        LeafRun.Load(layer, call);                       // restores its parameters and running statistics
        return text;

        string Explanation()
        {
            LeafRun.Load(layer, call);
            bool trains = training && !layer.HoldInEvaluation;
            if (call.Trains != trains && TensorPatterns.Explains(RunInOtherMode(layer, call.X), call.Y, ours))
                return OtherMode(layer);
            if (Settings(layer, call) is { Length: > 0 } settings)
                return settings;
            foreach ((string what, Func<Values, Values?> function) in Variants.Functions(layer))
            {
                if (TensorPatterns.Explains(function(call.X), call.Y, ours))
                    return $"the module computes {what}, the model has {layer}";
            }
            foreach (Layer variant in Variants.Of(layer))
            {
                foreach (Parameter p in variant.Parameters)
                    p.BeginCheck();
                LeafRun.Load(variant, call);
                if (TensorPatterns.Explains(Run(variant, call.X, trains), call.Y, ours))
                    return $"the module computes what {variant} would, the model has {layer}";
            }
            if (TensorPatterns.Explains(RunInOtherMode(layer, call.X), call.Y, ours))
            {
                return trains
                    ? "the module computes as in evaluation mode, with its running statistics"
                    : "the module computes as in training mode, with the statistics of the batch";
            }
            foreach ((Parameter p, string? name) in ParameterPairs.Of(layer, call))
            {
                if (name is null || layer is CustomLayer)
                    continue;
                Values theirs = call.Parameters[name];
                int[] sizes = theirs.Sizes;
                foreach ((string what, Func<int, int[], int> turn) in Diagnosis.Turns)
                {
                    theirs.Moved(i => turn(i, sizes)).Numbers.CopyTo(p.ValueAs<double>());
                    if (TensorPatterns.Explains(Run(layer, call.X, training), call.Y, ours))
                        return $"the module uses {name} with {what}";
                }
                theirs.Numbers.CopyTo(p.ValueAs<double>());
            }
            foreach ((string what, Values x) in TensorPatterns.Moved(call.X, call.X.Shape))
            {
                if (TensorPatterns.Explains(Run(layer, x, training), call.Y, ours))
                    return $"the module takes its input with {what}";
            }
            return ours is null ? "" : TensorPatterns.OfNumbers(ours, call.Y);
        }
    }

    const string ModuleInEvaluation =
        "the module is in evaluation mode, the model in training mode: call module.train() before, or set the layer's HoldInEvaluation";

    string OtherMode(Layer layer) => !training ? "the module is in training mode, the model in evaluation mode: call module.eval() before"
        : layer.HoldInEvaluation
            ? "the module is in training mode, the layer is held in evaluation mode: call eval() on this module, or set HoldInEvaluation to false"
        : ModuleInEvaluation;

    /// <summary>Runs a layer in evaluation mode if it would run in training mode, and vice versa.</summary>
    Values? RunInOtherMode(Layer layer, Values x)
    {
        bool held = layer.HoldInEvaluation;
        layer.HoldInEvaluation = false;
        Values? y = Run(layer, x, !training || held);
        layer.HoldInEvaluation = held;
        return y;
    }

    /// <summary>Returns why a buffer differs after the batch, or an empty text if unknown.</summary>
    public static string OfBuffer(Layer layer, Call call, string name, Values ours)
    {
        if (Settings(layer, call) is { Length: > 0 } settings)
            return settings;
        if (layer is not BatchNorm { Momentum: double momentum } || !call.Buffers.TryGetValue(name, out Values? before))
            return "";
        Values theirs = call.After[name];
        if (theirs.DifferenceFrom(before).Error == 0)
            return "the module's running statistics do not change: it is in evaluation mode";
        double[] step = [.. ours.Numbers.Zip(before.Numbers, (after, b) => after - b)];
        double share = momentum * theirs.Numbers.Select((after, i) => (after - before.Numbers[i]) * step[i]).Sum() / step.Sum(s => s * s);
        if (IsAfter((b, s) => b + s * share / momentum))
        {
            string keras = Math.Abs(share + momentum - 1) < 1e-3 ? "; momentum is the weight of the new value in PyTorch, of the old value in Keras" : "";
            return Invariant($"momentum is {share:G4} in the module, {momentum} in the model{keras}");
        }
        double n = call.X.Numbers.Length / ours.Numbers.Length;
        return name == "running_var" && IsAfter((b, s) => b + (s + momentum * b) * (n - 1) / n - momentum * b)
            ? "the module uses the biased variance, divided by m instead of m − 1"
            : "";

        bool IsAfter(Func<double, double, double> formula) => TensorPatterns.Explains(new([.. before.Numbers.Zip(step, formula)], ours.Shape), theirs, ours);
    }

    /// <summary>Returns why the input of a layer or the output of the whole model differs, or an empty text if unknown.</summary>
    /// <param name="layer">The layer, or null for the output of the whole model.</param>
    /// <param name="ours">The model's tensor.</param>
    /// <param name="theirs">The module's tensor.</param>
    public string OfBetween(Layer? layer, Values ours, Values theirs)
    {
        Call[] alone = [.. record.Calls.Where(call => !pairs.ContainsValue(call))];
        foreach (Call first in alone.Where(call => TensorPatterns.Explains(call.X, ours, null)))
        {
            Call[] more = [.. alone.SkipWhile(call => call != first)];
            int last = Array.FindIndex(more, call => TensorPatterns.Explains(call.Y, theirs, null));
            if (last >= 0)
                return $"the module has {string.Join("; ", more.Take(last + 1))} here, the model has nothing in its place";
        }
        long[]? flattened = Replay(layer, []).Flattened;
        foreach ((string what, Dictionary<Layer, Func<Values[], Values?>> instead) in Changes())
        {
            if (TensorPatterns.Explains(Replay(layer, instead).Input, theirs, ours))
                return what;
        }
        if (flattened is [_, long c, long h, long w] && ours.HasShapeOf(theirs) && ours.Numbers.Length == ours.Shape[0] * c * h * w)
        {
            Values image = new(ours.Numbers, ours.Shape[0], c, h, w);
            if (TensorPatterns.Explains(new(TensorPatterns.LastChannels(image).Numbers, ours.Shape), theirs, ours))
                return $"the module flattens [H, W, C], the model [C, H, W] = [{c}, {h}, {w}]";
            if (TensorPatterns.Explains(new(TensorPatterns.Transposed(image).Numbers, ours.Shape), theirs, ours))
                return "the module flattens with H and W swapped";
        }
        foreach (Layer more in Variants.Activations)
        {
            if (TensorPatterns.Explains(Run(more, ours, training), theirs, ours))
                return $"the module also applies {more} here";
        }
        if (TensorPatterns.OfNumbers(ours, theirs) is { Length: > 0 } numbers)
            return numbers;
        int end = layer is null ? record.Calls.Count : IndexOf(pairs[layer]), begin = end - 1;
        while (begin >= 0 && !pairs.ContainsValue(record.Calls[begin]))
            begin--;
        Call[] unpaired = [.. record.Calls.Take(end).Skip(begin + 1).Where(call => call.Parameters.Count > 0)];
        Layer[] single = [.. Between(model).Where(between => between is not (Residual or Concat) && between.Parameters.Count > 0)];
        return unpaired.Length > 0 ? $"the module has {string.Join<Call>("; ", unpaired)}, which was not paired with a layer of the model"
            : single.Length > 0 ? $"the model has {string.Join("; ", single.Select(between => between.Description))}, which was not paired with a module"
            : "";

        int IndexOf(Call call)
        {
            int at = 0;
            while (record.Calls[at] != call)
                at++;
            return at;
        }
    }

    /// <summary>Returns possible changes of unpaired layers and joins: a layer is missing or replaced, or branches are joined differently.</summary>
    IEnumerable<(string What, Dictionary<Layer, Func<Values[], Values?>> Instead)> Changes()
    {
        Layer[] all = [.. Between(model)], plain = [.. all.Where(between => between is not (Residual or Concat))];
        foreach (Layer between in plain)
            yield return ($"the module has nothing in the place of {between.Description}", new() { [between] = x => x[0] });
        foreach (Residual residual in all.OfType<Residual>())
        {
            yield return ($"the module does not add the shortcut of {residual.Description}", new() { [residual] = parts => parts[0] });
            foreach (double scale in (double[])[0.1, 0.2, 0.3, 0.5, 2])
            {
                yield return (
                    Invariant($"the module multiplies the body of {residual.Description} by {scale}"),
                    new() { [residual] = parts => parts[0].Map(y => scale * y).Plus(parts[1]) });
            }
            foreach (Layer activation in all.Where(Variants.IsActivation))
            {
                yield return (
                    $"the module adds the shortcut of {residual.Description} after {activation.Description}, not before",
                    new() { [residual] = parts => Run(activation, parts[0], training)?.Plus(parts[1]), [activation] = x => x[0] });
            }
        }
        foreach (Concat concat in all.OfType<Concat>().Where(concat => concat.Children.Count <= Pairing.MostBranches))
        {
            foreach (int[] order in Pairing.Orders(concat.Children.Count))
            {
                yield return (
                    $"the module joins the branches of {concat.Description} in the order {string.Join(", ", order)}",
                    new() { [concat] = parts => Values.Cat([.. order.Select(i => parts[i])]) });
            }
        }
        foreach (Layer between in plain.Where(between => between.Parameters.Count == 0))
        {
            foreach ((string what, Func<Values, Values?> function) in Variants.Functions(between))
                yield return ($"the module computes {what}, the model has {between.Description}", new() { [between] = x => function(x[0]) });
            foreach (Layer variant in Variants.Of(between))
            {
                yield return (
                    $"the module computes what {variant} would, the model has {between.Description}",
                    new() { [between] = x => Run(variant, x[0], training) });
            }
        }
    }

    /// <summary>Returns the unpaired layers and the joins.</summary>
    IEnumerable<Layer> Between(Layer of)
    {
        if (of is not Container container)
            return pairs.ContainsKey(of) ? [] : [of];
        IEnumerable<Layer> inside = container.Children.SelectMany(child => Between(child.Layer));
        return of is Residual or Concat ? inside.Append(of) : inside;
    }

    /// <summary>Returns how a dropout differs, judged by the numbers that it keeps. Null if it does not.</summary>
    public static (string What, string LooksLike)? OfDropout(Dropout layer, Call call)
    {
        double p = layer.Probability;
        double[] kept = TensorPatterns.Ratios(call.X, call.Y);
        double share = (double)kept.Length / Math.Max(call.X.Numbers.Count(x => x != 0), 1), scale = kept.DefaultIfEmpty(0).Average();
        if (kept.Any(ratio => Math.Abs(ratio - scale) > 1e-9 * scale))
            return ("the module does not multiply the kept numbers by a constant", "");
        bool isSame = p == 0 ? share == 1 && scale == 1
            : p == 1 ? share == 0
            : Math.Abs(scale - 1 / (1 - p)) < 1e-6;
        if (isSame)
            return null;
        string what = Invariant($"the module keeps {100 * share:0} % of the numbers and multiplies them by {scale:G4}; ")
            + Invariant($"with probability {p} the model multiplies by {(p < 1 ? 1 / (1 - p) : 0):G4}");
        string looksLike = !call.Trains ? ModuleInEvaluation
            : share == 1 ? "the module drops nothing"
            : Invariant($"the probability is {1 - 1 / scale:G3} in the module, {p} in the model");
        return (what, looksLike);
    }

    static Values? Run(Layer layer, Values x, bool inTraining)
    {
        try
        {
            return LeafRun.InDouble(layer, x, inTraining).Y;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>
    /// Runs the model with some layers replaced by functions. A layer that was paired with a module returns the module's output. Returns the input of the
    /// target, or the output of the whole model if the target is null, and the shape of the last image that was flattened before.
    /// </summary>
    (Values? Input, long[]? Flattened) Replay(Layer? target, Dictionary<Layer, Func<Values[], Values?>> instead)
    {
        Values? found = null;
        long[]? flattened = null, last = null;
        Values? y = new ModelWalk((layer, x) =>
        {
            if (layer is Flatten && x is not null)
                last = x.Shape;
            if (layer == target)
                (found, flattened) = (x, last);
            Values? result = pairs.TryGetValue(layer, out Call? call) ? call.Y
                : x is null ? null
                : Run(layer, x, training);
            return (result, dy => dy);
        }, rounds: false)
        { Instead = instead }.Run(model, batch).Y;
        return target is null ? (y, last) : (found, flattened);
    }
}

using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using TorchSharp;
using static System.FormattableString;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MiniCnn.Interop;

/// <summary>
/// Explains differences: by settings that model and module do not share, or by a common mistake that gives the module's numbers when it is made in
/// the model too.
/// </summary>
sealed class Lookalikes(Layer model, Values batch, ModuleRecord record, Dictionary<Layer, Call> pairs, bool training)
{
    /// <summary>
    /// The largest error that counts as rounding. In double it is 2⁻²⁹ of a float's, and 10⁻¹⁰ of the largest number: GELU's formula is exact to
    /// 10⁻¹¹.
    /// </summary>
    public static double Tolerance(Values theirs, bool isFloat) => isFloat
        ? Math.Max(theirs.Bound, theirs.Bound == 0 ? 1e-5 * theirs.Largest : 0)
        : 4 * Math.ScaleB(theirs.Bound, -29) + 1e-10 * theirs.Largest;

    /// <summary>The settings of a TorchSharp module that are not those of the bridge's module for the layer; empty if none.</summary>
    public static string Settings(Layer layer, Call call)
    {
        if (layer is PlainLayer || !call.IsTorchs)
            return "";
        if (call.Kind != layer.GetType().Name)
            return $"the module has {call.Kind} where the model has {layer.GetType().Name}";
        using nn.Module own = TorchModules.Of(layer);
        Type type = own.GetType();
        if (type != call.Module.GetType() || own is Formula)
            return "";
        // Padding.Same and the like: the numbers of the padding say nothing then.
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

    /// <summary>Why a parameter's shape differs; empty if unknown.</summary>
    public static string OfShape(long[] ours, long[] theirs) => ours switch
    {
        [long a, long b] when theirs.SequenceEqual([b, a]) => "its axes are swapped: a Linear's weight is [out, in]",
        [long a, long b, long h, long w] when theirs.SequenceEqual([b, a, h, w]) =>
            "in and out are swapped: a Conv2d's weight is [out, in/groups, kH, kW], a ConvTranspose2d's [in, out/groups, kH, kW]",
        [long a, long b, long h, long w] when theirs.SequenceEqual([a, b, w, h]) => "H and W of the kernel are swapped",
        _ => "",
    };

    /// <summary>Why a layer's output differs; ours is null where the shapes differ.</summary>
    public string OfLayer(Layer layer, Call call, Values? ours = null)
    {
        string text = Explanation();
        LeafRun.Load(layer, call);                       // puts back its parameters and running statistics
        return text;

        string Explanation()
        {
            LeafRun.Load(layer, call);
            if (call.Trains != training && Explains(Run(layer, call.X, !training), call.Y, ours))
                return OtherMode(training);
            if (Settings(layer, call) is { Length: > 0 } settings)
                return settings;
            foreach ((string what, Func<Values, Values?> function) in Functions(layer))
            {
                if (Explains(function(call.X), call.Y, ours))
                    return $"the module computes {what}, the model has {layer}";
            }
            foreach (Layer variant in Variants(layer))
            {
                foreach (Parameter p in variant.Parameters)
                    p.BeginCheck();
                LeafRun.Load(variant, call);
                if (Explains(Run(variant, call.X, training), call.Y, ours))
                    return $"the module computes what {variant} would, the model has {layer}";
            }
            if (Explains(Run(layer, call.X, !training), call.Y, ours))
            {
                return training
                    ? "the module computes as in evaluation, with its running statistics"
                    : "the module computes as in training, with the batch's statistics";
            }
            foreach ((Parameter p, string? name) in LeafRun.Names(layer, call))
            {
                if (name is null || layer is PlainLayer)
                    continue;
                Values theirs = call.Parameters[name];
                int[] sizes = theirs.Sizes;
                foreach ((string what, Func<int, int[], int> turn) in Diagnosis.Turns)
                {
                    theirs.Moved(i => turn(i, sizes)).Numbers.CopyTo(p.ValueAs<double>());
                    if (Explains(Run(layer, call.X, training), call.Y, ours))
                        return $"the module uses {name} with {what}";
                }
                theirs.Numbers.CopyTo(p.ValueAs<double>());
            }
            foreach ((string what, Values x) in Moved(call.X, call.X.Shape))
            {
                if (Explains(Run(layer, x, training), call.Y, ours))
                    return $"the module takes its input with {what}";
            }
            return ours is null ? "" : OfNumbers(ours, call.Y);
        }
    }

    static string OtherMode(bool training) => training
        ? "the module is in evaluation, the model in training: call module.train() before"
        : "the module is in training, the model in evaluation: call module.eval() before";

    /// <summary>Why a buffer differs after the batch; empty if unknown.</summary>
    public static string OfBuffer(Layer layer, Call call, string name, Values ours)
    {
        if (Settings(layer, call) is { Length: > 0 } settings)
            return settings;
        if (layer is not BatchNorm2d || !call.Buffers.TryGetValue(name, out Values? before))
            return "";
        Values theirs = call.After[name];
        if (theirs.DifferenceFrom(before).Error == 0)
            return "the module's stay as they were: it is in evaluation";
        double momentum = layer.Arguments!.Single(a => a.Name == "momentum").Value.GetValue<double>();
        double[] step = [.. ours.Numbers.Zip(before.Numbers, (after, b) => after - b)];
        double share = momentum * theirs.Numbers.Select((after, i) => (after - before.Numbers[i]) * step[i]).Sum() / step.Sum(s => s * s);
        if (IsAfter((b, s) => b + s * share / momentum))
        {
            string keras = Math.Abs(share + momentum - 1) < 1e-3 ? "; it is the new value's share in PyTorch, the old one's in Keras" : "";
            return Invariant($"momentum is {share:G4} in the module, {momentum} in the model{keras}");
        }
        double n = call.X.Numbers.Length / ours.Numbers.Length;
        return name == "running_var" && IsAfter((b, s) => b + (s + momentum * b) * (n - 1) / n - momentum * b)
            ? "the module takes the biased variance, over m and not m − 1"
            : "";

        bool IsAfter(Func<double, double, double> formula) => Explains(new([.. before.Numbers.Zip(step, formula)], ours.Shape), theirs, ours);
    }

    /// <summary>Why what comes into a layer, or out of the whole model, differs; empty if unknown.</summary>
    /// <param name="layer">The layer; null for the output of the whole model.</param>
    /// <param name="ours">The model's tensor.</param>
    /// <param name="theirs">The module's tensor.</param>
    public string OfBetween(Layer? layer, Values ours, Values theirs)
    {
        Call[] alone = [.. record.Calls.Where(call => !pairs.ContainsValue(call))];
        foreach (Call first in alone.Where(call => Explains(call.X, ours, null)))
        {
            Call[] more = [.. alone.SkipWhile(call => call != first)];
            int last = Array.FindIndex(more, call => Explains(call.Y, theirs, null));
            if (last >= 0)
                return $"the module has {string.Join("; ", more.Take(last + 1))} here, the model has nothing in its place";
        }
        long[]? flattened = Replay(layer, []).Flattened;
        foreach ((string what, Dictionary<Layer, Func<Values[], Values?>> instead) in Changes())
        {
            if (Explains(Replay(layer, instead).Input, theirs, ours))
                return what;
        }
        if (flattened is [_, long c, long h, long w] && ours.HasShapeOf(theirs) && ours.Numbers.Length == ours.Shape[0] * c * h * w)
        {
            Values image = new(ours.Numbers, ours.Shape[0], c, h, w);
            if (Explains(new(LastChannels(image).Numbers, ours.Shape), theirs, ours))
                return $"the module flattens [H, W, C], the model [C, H, W] = [{c}, {h}, {w}]";
            if (Explains(new(Transposed(image).Numbers, ours.Shape), theirs, ours))
                return "the module flattens with H and W swapped";
        }
        foreach (Layer more in activations)
        {
            if (Explains(Run(more, ours, training), theirs, ours))
                return $"the module also applies {more} here";
        }
        if (OfNumbers(ours, theirs) is { Length: > 0 } numbers)
            return numbers;
        int end = layer is null ? record.Calls.Count : IndexOf(pairs[layer]), begin = end - 1;
        while (begin >= 0 && !pairs.ContainsValue(record.Calls[begin]))
            begin--;
        Call[] unpaired = [.. record.Calls.Take(end).Skip(begin + 1).Where(call => call.Parameters.Count > 0)];
        Layer[] single = [.. Between(model).Where(between => between is not (Residual or Concat) && between.Parameters.Count > 0)];
        return unpaired.Length > 0 ? $"the module has {string.Join<Call>("; ", unpaired)}, with which no layer of the model was paired"
            : single.Length > 0 ? $"the model has {string.Join("; ", single.Select(between => between.Description))}, with which no module was paired"
            : "";

        int IndexOf(Call call)
        {
            int at = 0;
            while (record.Calls[at] != call)
                at++;
            return at;
        }
    }

    /// <summary>What the module may do where no module was paired with a layer, and in joins: leave out, replace, join in another way.</summary>
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
            foreach (Layer activation in all.Where(IsActivation))
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
            foreach ((string what, Func<Values, Values?> function) in Functions(between))
                yield return ($"the module computes {what}, the model has {between.Description}", new() { [between] = x => function(x[0]) });
            foreach (Layer variant in Variants(between))
            {
                yield return (
                    $"the module computes what {variant} would, the model has {between.Description}",
                    new() { [between] = x => Run(variant, x[0], training) });
            }
        }
    }

    /// <summary>The layers that no module was paired with, and the joins.</summary>
    IEnumerable<Layer> Between(Layer of)
    {
        if (of is not Container container)
            return pairs.ContainsKey(of) ? [] : [of];
        IEnumerable<Layer> inside = container.Children.SelectMany(child => Between(child.Layer));
        return of is Residual or Concat ? inside.Append(of) : inside;
    }

    static bool IsActivation(Layer layer) => activations.Any(other => other.GetType() == layer.GetType());

    /// <summary>Functions of TorchSharp that no layer computes, but that may stand in a layer's place.</summary>
    static IEnumerable<(string What, Func<Values, Values?> Function)> Functions(Layer layer)
    {
        if (IsActivation(layer))
        {
            return
            [
                ("gelu with approximate: tanh", On(x => 0.5 * x * (1 + (Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x.pow(3))).tanh()))),
                ("relu6", On(x => F.relu6(x))), ("hardswish", On(x => F.hardswish(x))), ("elu", On(x => F.elu(x, 1))),
                ("softplus", On(x => F.softplus(x))), ("hardtanh", On(x => F.hardtanh(x))),
            ];
        }
        using JsonDocument json = Architecture.Parse(layer is PlainLayer ? "{\"type\":\"\"}" : Architecture.Write(layer));
        LayerArguments a = new(json.RootElement, "", new Dictionary<string, SafeTensors.Entry>());
        switch (layer)
        {
            case MaxPool2d when a.Padding("padding") is var padding && (padding.Top, padding.Left) == (padding.Bottom, padding.Right):
                (long[] kernel, long[] stride, long[] dilation) = (Longs("kernelSize"), Longs("stride"), Longs("dilation"));
                Func<Tensor, Tensor> pool = x => F.max_pool2d(x, kernel, stride, [padding.Top, padding.Left], dilation, ceil_mode: true);
                return [("max_pool2d with ceil_mode: true", On(pool))];
            case Upsample when a.Size("scaleFactor") is var factor:
                Func<Tensor, Tensor> resize = x =>
                    F.interpolate(x, scale_factor: [factor.Height, factor.Width], mode: InterpolationMode.Bilinear, align_corners: true);
                return [("interpolate, bilinear with align_corners: true", On(resize))];
            case AdaptiveAvgPool2d when Longs("outputSize") is var size:
                return [("adaptive_max_pool2d", On(x => F.adaptive_max_pool2d(x, size))), ("a sum", On(x => x.sum([2, 3], keepdim: true)))];
            default:
                return [];
        }

        long[] Longs(string name) => TorchModules.Long(a.Size(name));

        static Func<Values, Values?> On(Func<Tensor, Tensor> function) => x =>
        {
            try
            {
                using DisposeScope scope = NewDisposeScope();
                return Values.Of(function(ModuleInDouble.ToTensor(x)));
            }
            catch (System.Runtime.InteropServices.ExternalException)
            {
                return null;                             // not of this shape
            }
        };
    }

    /// <summary>How a dropout differs, as seen from what it keeps; null if it does not.</summary>
    public static (string What, string LooksLike)? OfDropout(Dropout layer, Call call)
    {
        double p = layer.Arguments!.Single().Value.GetValue<double>();
        double[] kept = Ratios(call.X, call.Y);
        double share = (double)kept.Length / Math.Max(call.X.Numbers.Count(x => x != 0), 1), scale = kept.DefaultIfEmpty(0).Average();
        if (kept.Any(ratio => Math.Abs(ratio - scale) > 1e-9 * scale))
            return ("the module does not multiply what it keeps by one number", "");
        bool isSame = p == 0 ? share == 1 && scale == 1
            : p == 1 ? share == 0
            : Math.Abs(scale - 1 / (1 - p)) < 1e-6;
        if (isSame)
            return null;
        string what = Invariant($"the module keeps {100 * share:0} % and multiplies it by {scale:G4}; ")
            + Invariant($"with probability {p} the model multiplies by {(p < 1 ? 1 / (1 - p) : 0):G4}");
        string looksLike = !call.Trains ? OtherMode(training: true)
            : share == 1 ? "the module drops nothing"
            : Invariant($"the probability is {1 - 1 / scale:G3} in the module, {p} in the model");
        return (what, looksLike);
    }

    /// <summary>theirs / ours of each pair of numbers without a 0.</summary>
    static double[] Ratios(Values ours, Values theirs) =>
        [.. ours.Numbers.Zip(theirs.Numbers).Where(pair => pair.First != 0 && pair.Second != 0).Select(pair => pair.Second / pair.First)];

    /// <summary>Why a gradient differs, though all that it is computed from is the same; empty if unknown.</summary>
    public static string OfGradient(Values ours, Values theirs) =>
        !ours.HasShapeOf(theirs) ? ""
        : theirs.Largest == 0 ? "no gradient arrives in the module: detach(), no_grad() or an output that is not used"
        : ours.Largest == 0 ? "no gradient arrives in the model"
        : OfTurned(ours, theirs) is { Length: > 0 } turned ? $"the module's is the model's {turned}"
        : OfNumbers(ours, theirs);

    /// <summary>How the last two axes were turned: “with its last two axes swapped …”; empty if they were not.</summary>
    public static string OfTurned(Values ours, Values theirs)
    {
        int[] sizes = theirs.Sizes;
        foreach ((string what, Func<int, int[], int> turn) in Diagnosis.Turns)
        {
            if (Explains(theirs.Moved(i => turn(i, sizes)), ours, theirs))
                return $"with {what}";
        }
        return "";
    }

    /// <summary>What was done to the whole tensor: scaled, normalized, turned; empty if unknown.</summary>
    static string OfNumbers(Values ours, Values theirs)
    {
        foreach ((string what, Values moved) in Moved(ours, theirs.Shape))
        {
            if (Explains(moved, theirs, ours))
                return $"the module's is the model's with {what}";
        }
        if (!ours.HasShapeOf(theirs))
            return "";
        (double scale, double offset) = Line([.. ours.Numbers.Zip(theirs.Numbers)]);
        double ratio = ours.Numbers.Zip(theirs.Numbers, (o, t) => o * t).Sum() / ours.Numbers.Sum(o => o * o);
        if (ratio != 0 && Explains(ours.Map(o => ratio * o), theirs, ours))
            return Invariant($"the module's is {ratio:G6} × the model's{Meaning(ratio, ours.Shape[0])}");
        if (Explains(ours.Map(o => scale * o + offset), theirs, ours))
            return Normalized(scale, offset);
        if (ours.Shape is [_, > 1 and <= 4 and long channels, _, _])
        {
            int[] all = [.. Enumerable.Range(0, (int)channels)];
            (double Scale, double Offset)[] lines = [.. all.Select(c => Line([.. ours.Channels(c, 1).Numbers.Zip(theirs.Channels(c, 1).Numbers)]))];
            if (Explains(Values.Cat([.. all.Select(c => ours.Channels(c, 1).Map(o => lines[c].Scale * o + lines[c].Offset))]), theirs, ours))
                return string.Join("; ", all.Select(c => $"channel {c}: {Normalized(lines[c].Scale, lines[c].Offset)}"));
        }
        double[] ratios = Ratios(ours, theirs);
        bool isDropout = ratios.Length > 0 && theirs.Numbers.Zip(ours.Numbers).Any(pair => pair.First == 0 && pair.Second != 0)
            && ratios.All(r => Math.Abs(r - ratios[0]) < 1e-9 * Math.Abs(ratios[0])) && ratios[0] > 1;
        return !isDropout ? "" : Invariant($"the module drops some numbers and multiplies the others by {ratios[0]:G4}, as dropout does; ")
            + "use nn.Dropout, whose masks are taken over, or evaluation";

        static string Normalized(double scale, double offset) => Math.Abs(scale - 1) < 1e-9
            ? Invariant($"the module's is the model's + {offset:G6}")
            : Invariant($"the module's is (x − {-offset / scale:G6}) / {1 / scale:G6} of the model's x: it is normalized there");
    }

    /// <summary>The tensors of a wanted shape that have x's numbers in other places.</summary>
    static IEnumerable<(string What, Values Moved)> Moved(Values x, long[] shape)
    {
        if (x.Shape.Length == 4)
        {
            if (Transposed(x) is var transposed && transposed.Shape.SequenceEqual(shape))
                yield return ("H and W swapped", transposed);
            if (LastChannels(x) is var last && last.Shape.SequenceEqual(shape))
                yield return ("its axes as [N, H, W, C]", last);
            if (!x.Shape.SequenceEqual(shape))
                yield break;
            yield return ("its numbers read as [N, H, W, C]", Permuted(x, shape[1], shape[2] * shape[3], shape));
            int[] sizes = x.Sizes;
            (int c, int h, int w, int plane) = (sizes[1], sizes[2], sizes[3], sizes[2] * sizes[3]);
            if (c > 1)
            {
                yield return (
                    $"its channels in the other order{(c == 3 ? ": RGB and BGR" : "")}",
                    x.Moved(i => (i / plane / c * c + c - 1 - i / plane % c) * plane + i % plane));
            }
            yield return ("left and right swapped", x.Moved(i => i / w * w + w - 1 - i % w));
            yield return ("top and bottom swapped", x.Moved(i => i / plane * plane + (h - 1 - i / w % h) * w + i % w));
            yield return ("both axes turned round", x.Moved(i => i / plane * plane + plane - 1 - i % plane));
            yield return ("H and W swapped", x.Moved(i => Diagnosis.Turns[1].Turn(i, sizes)));
            yield return ("H and W swapped", x.Moved(i => Diagnosis.Turns[2].Turn(i, sizes)));
        }
    }

    static Values Transposed(Values x) => Permuted(x, x.Shape[3], x.Shape[2], [x.Shape[0], x.Shape[1], x.Shape[3], x.Shape[2]]);

    static Values LastChannels(Values x) => Permuted(x, x.Shape[2] * x.Shape[3], x.Shape[1], [x.Shape[0], x.Shape[2], x.Shape[3], x.Shape[1]]);

    /// <summary>Writes every block of rows × columns numbers column by column.</summary>
    static Values Permuted(Values x, long columns, long rows, long[] shape)
    {
        long block = rows * columns;
        return new(x.Moved(i => (int)(i / block * block + i % rows * columns + i % block / rows)).Numbers, shape);
    }

    static readonly Layer[] activations =
    [
        new ReLU(), new LeakyReLU(), new LeakyReLU(0.1), new LeakyReLU(0.2), new GELU(), new SiLU(), new Sigmoid(), new Tanh(), new Softmax(),
        new LogSoftmax(),
    ];

    /// <summary>The layers with the same parameters that may have been meant instead.</summary>
    static IEnumerable<Layer> Variants(Layer layer)
    {
        if (layer is PlainLayer)
            yield break;
        if (IsActivation(layer))
        {
            foreach (Layer other in activations)
                yield return other;
        }
        Dictionary<string, SafeTensors.Entry> stored = layer.Stored.ToDictionary(tensor => tensor.Name.Split('.')[^1], tensor => tensor.Save());
        string text = Architecture.Write(layer);
        foreach ((string name, JsonNode value) in layer.Arguments!)
        {
            foreach (string instead in Instead(name, value.ToJsonString()))
                if (Made(json => json[name] = JsonNode.Parse(instead)) is { } variant)
                    yield return variant;
        }
        if (layer is MaxPool2d && Made(json =>
            {
                json["type"] = nameof(AvgPool2d);
                json.Remove("dilation");
                json["countIncludePad"] = true;
            }) is { } average)
        {
            yield return average;
        }
        if (layer is AvgPool2d && Made(json =>
            {
                json["type"] = nameof(MaxPool2d);
                json["dilation"] = new JsonArray(1, 1);
                json.Remove("countIncludePad");
            }) is { } largest)
        {
            yield return largest;
        }

        Layer? Made(Action<JsonObject> change)
        {
            JsonObject json = JsonNode.Parse(text)!.AsObject();
            change(json);
            try
            {
                using JsonDocument document = Architecture.Parse(json.ToJsonString());
                return Architecture.Read(document.RootElement, stored);
            }
            catch (Exception e) when (e is InvalidDataException or ArgumentException)
            {
                return null;                             // not with these parameters
            }
        }

        static IEnumerable<string> Instead(string name, string value) => name switch
        {
            "epsilon" => ["1e-3", "1e-4", "1e-5", "1e-6", "1e-7", "1e-8", "1e-2", "1e-12"],
            "negativeSlope" => ["0.01", "0.1", "0.2", "0.3", "0.05", "0.25", "0"],
            "countIncludePad" => ["true", "false"],
            "bias" => ["false"],
            "paddingMode" => Enum.GetNames<PaddingMode>().Select(mode => $"\"{mode}\""),
            "mode" => Enum.GetNames<UpsampleMode>().Select(mode => $"\"{mode}\""),
            "padding" => [.. Enumerable.Range(0, 5).Select(p => $"[{p},{p},{p},{p}]"), Reversed(value), "[0,0,1,1]", "[1,1,0,0]"],
            "stride" or "dilation" or "kernelSize" or "outputSize" or "outputPadding" =>
                [.. Enumerable.Range(0, 5).Select(s => $"[{s},{s}]"), Reversed(value)],
            "groups" => ["1", "2", "4", "8", "16", "32"],
            _ => [],
        };

        // Swaps height and width; a padding has two of each.
        static string Reversed(string value)
        {
            int[] numbers = JsonSerializer.Deserialize<int[]>(value)!;
            return JsonSerializer.Serialize(
                numbers.Length == 2 ? [numbers[1], numbers[0]] : new[] { numbers[1], numbers[0], numbers[3], numbers[2] });
        }
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
    /// Runs the model with layers replaced by functions. A layer that was paired with a module gives the module's output. Returns what comes into the
    /// target, or out of the whole model where it is null, and the shape of the last image that was flattened before.
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

    /// <summary>Whether a candidate is the module's tensor, or a thousand times nearer to it than ours is.</summary>
    static bool Explains(Values? candidate, Values theirs, Values? ours)
    {
        if (candidate is null || !candidate.HasShapeOf(theirs))
            return false;
        double near = ours is not null && ours.HasShapeOf(theirs) ? 1e-3 * ours.DifferenceFrom(theirs).Error : 1e-7 * theirs.Largest;
        return candidate.DifferenceFrom(theirs).Error <= Math.Max(8 * Tolerance(theirs, isFloat: false), near);
    }

    /// <summary>The scale and offset for which theirs = scale · ours + offset, by least squares.</summary>
    static (double Scale, double Offset) Line((double Ours, double Theirs)[] pairs)
    {
        (double x, double y) = (pairs.Average(pair => pair.Ours), pairs.Average(pair => pair.Theirs));
        double scale = pairs.Sum(pair => (pair.Ours - x) * (pair.Theirs - y)) / pairs.Sum(pair => (pair.Ours - x) * (pair.Ours - x));
        return (scale, y - scale * x);
    }

    static string Meaning(double ratio, long batch) =>
        Near(ratio, -1) ? ": the sign is turned"
        : Near(ratio, 1 / 255.0) ? ", 1/255: pixels of 0 to 1 there, of 0 to 255 here"
        : Near(ratio, 255) ? ": pixels of 0 to 255 there, of 0 to 1 here"
        : Near(ratio, 1 / 256.0) ? ", 1/256"
        : batch > 2 && Near(ratio, 1.0 / batch) ? ": divided by the batch size"
        : batch > 2 && Near(ratio, batch) ? ": times the batch size"
        : "";

    static bool Near(double ratio, double value) => Math.Abs(ratio - value) <= 1e-6 * Math.Abs(value);
}

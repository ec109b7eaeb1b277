using static System.FormattableString;

namespace MiniCnn.Interop;

/// <summary>Matches a layer's parameters with those of the paired module.</summary>
static class ParameterPairs
{
    /// <summary>
    /// Matches a layer's parameters with those of a call: by name, or by order if no name is equal and the counts are. The name is null for a parameter
    /// that the call does not have.
    /// </summary>
    public static IEnumerable<(Parameter Parameter, string? Name)> Of(Layer layer, Call call)
    {
        bool byName = layer.Parameters.Count != call.Parameters.Count || layer.Parameters.Any(p => call.Parameters.ContainsKey(p.ShortName));
        return layer.Parameters.Select((p, i) => (p,
            !byName ? call.Parameters.Keys.ElementAt(i)
            : call.Parameters.ContainsKey(p.ShortName) ? p.ShortName
            : null));
    }

    public static (string What, string LooksLike, bool Runs)? Fault(Layer layer, Call call)
    {
        foreach ((Parameter p, string? name) in Of(layer, call))
        {
            if (name is null)
            {
                string argument = p.ShortName == "bias" && layer is not (BatchNorm or GroupNorm or LayerNorm) ? " (bias: false)" : "";
                return (
                    $"the model has a {p.ShortName}, the module none",
                    $"the module was created without {p.ShortName}; create the model's layer without it too{argument}, or both with it", Runs: true);
            }
            Values theirs = call.Parameters[name];
            long[] ours = Values.ShapeOf(p.Value.Lengths);
            if (!ours.SequenceEqual(theirs.Shape))
            {
                string looks = Lookalikes.Settings(layer, call) is { Length: > 0 } settings ? settings : TensorPatterns.OfShape(ours, theirs.Shape);
                return ($"{p.Name} is [{string.Join(", ", ours)}] in the model, {theirs} in the module", looks, Runs: false);
            }
        }
        string? more = call.Parameters.Keys.Except(Of(layer, call).Select(pair => pair.Name!)).FirstOrDefault();
        return more is null ? null : (
            $"the module has a {more}, the model none",
            $"the model's layer was created without {more}; create the module without it too, or both with it", Runs: false);
    }

    /// <summary>Returns notes on the model's own weights that differ from the module's. Both are compared on the module's weights.</summary>
    public static IEnumerable<string> OwnWeights(Dictionary<Layer, Call> pairs)
    {
        List<string> others = [];
        int same = 0;
        foreach ((Layer layer, Call call) in pairs)
        {
            foreach ((Parameter p, string? name) in Of(layer, call))
            {
                if (name is null || call.Parameters[name] is not { } theirs || theirs.Numbers.Length != p.Value.FlattenedLength)
                    continue;
                Values ours = new(Values.Doubles(p.ValueAs<float>()), theirs.Shape);
                if (call.Kind == nameof(GroupNorm) && theirs.Largest is > 1e6 or < 1e-6 and > 0)
                {
                    yield return (Invariant($"{call} has numbers up to {theirs.Largest:G3} in its {name}: ")
                        + "TorchSharp 0.107 does not initialize a GroupNorm; call init.ones_ and init.zeros_");
                }
                if (ours.DifferenceFrom(theirs.Map(x => (float)x)).Error == 0)
                {
                    same += p.Value.Rank > 1 ? 1 : 0;    // weights of norms do not count, because all start with ones
                    continue;
                }
                others.Add(p.Name);
                if (TensorPatterns.OfTurned(ours, theirs) is { Length: > 0 } turned)
                    yield return ($"the model's own {p.Name} is the module's {call.Name}.{name} {turned}");
            }
        }
        if (others.Count == 0 || same == 0)              // none is equal: the weights were never copied
            yield break;
        string more = others.Count > 3 ? $" and {others.Count - 3} more" : "", verb = others.Count > 1 ? "are" : "is";
        yield return ($"the model's own {string.Join(", ", others.Take(3))}{more} {verb} not equal to the module's; both were compared on the module's");
    }
}

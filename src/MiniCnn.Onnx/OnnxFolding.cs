namespace MiniCnn.OnnxModels;

/// <summary>Constant folding: evaluates the operators that exporters write around shapes and weights.</summary>
static class OnnxFolding
{
    /// <summary>Returns the result of a node with constant inputs, or null if its operator is not folded.</summary>
    public static OnnxConstant? Of(OnnxNode node, OnnxGraph graph)
    {
        OnnxConstant? a = graph.Constant(node.Input(0)), b = graph.Constant(node.Input(1));
        return node.Op switch
        {
            "Constant" => Constant(node),
            "Identity" when a is not null => a,
            "Cast" when a is not null => Cast(a, node),
            "Reshape" when a is not null && b?.Ints is { } lengths => a with { Lengths = Resolve(a, lengths, node) },
            "Transpose" when a is not null => Transpose(a, node.Ints("perm") ?? [.. Enumerable.Range(0, a.Lengths.Length).Reverse().Select(i => (long)i)], node),
            "Unsqueeze" when a is not null => a with { Lengths = Unsqueezed(a.Lengths, node.Ints("axes") ?? b?.Ints ?? throw node.Bad("has no axes"), node) },
            "Squeeze" when a is not null => a with { Lengths = Squeezed(a.Lengths, node.Ints("axes") ?? b?.Ints, node) },
            "Gather" when a is { Ints: not null, Lengths.Length: 1 } && b?.Ints is { } at => Gather(a, b, at, node),
            "Concat" when node.Int("axis", 0) == 0 => Concat(node, graph),
            "Slice" when a is { Ints: not null } => Slice(a, node, graph),
            "ConstantOfShape" when a?.Ints is { } lengths => Filled(lengths, node),
            "Add" or "Sub" or "Mul" or "Div" when a is not null && b is not null => Combine(a, b, node),
            "Sqrt" when a?.Floats is { } x => a with { Floats = [.. x.Select(MathF.Sqrt)] },
            _ => null,
        };
    }

    static OnnxConstant Constant(OnnxNode node)
    {
        if (node.Tensor("value") is { } tensor)
            return OnnxConstant.Read(tensor, "");
        if (node.Has("value_float"))
            return new([], [node.Float("value_float", 0)], null);
        if (node.Has("value_int"))
            return new([], null, [node.Int("value_int", 0)]);
        return node.Ints("value_ints") is { } values ? OnnxConstant.Of(values) : throw node.Bad("has no value");
    }

    static OnnxConstant Cast(OnnxConstant a, OnnxNode node) => (Format.TensorProto.Types.DataType)node.Int("to", 0) switch
    {
        Format.TensorProto.Types.DataType.Float => new(a.Lengths, a.AsFloats, null),
        Format.TensorProto.Types.DataType.Int64 or Format.TensorProto.Types.DataType.Int32 => new(a.Lengths, null, a.Ints ?? [.. a.Floats!.Select(value => (long)value)]),
        var other => throw node.Bad($"a conversion to {other} is not supported"),
    };

    /// <summary>Resolves the shape of a Reshape: 0 keeps the length of that axis, −1 is inferred from the others.</summary>
    static long[] Resolve(OnnxConstant a, long[] wanted, OnnxNode node)
    {
        long[] lengths = [.. wanted.Select((length, i) => length == 0 && i < a.Lengths.Length ? a.Lengths[i] : length)];
        long known = 1;
        foreach (long length in lengths.Where(length => length != -1))
            known = length < 0 || known > int.MaxValue || (known *= length) > int.MaxValue
                ? throw node.Bad($"the shape [{string.Join(", ", wanted)}] is negative or too large") : known;
        int rest = Array.IndexOf(lengths, -1);
        if (rest >= 0)
            lengths[rest] = known == 0 ? 0 : a.Count / known;
        if (lengths.Contains(-1) || lengths.Aggregate(1L, (product, length) => product * length) != a.Count)
            throw node.Bad($"{a.Count} numbers cannot have the shape [{string.Join(", ", wanted)}]");
        return lengths;
    }

    public static OnnxConstant Transpose(OnnxConstant a, long[] perm, OnnxNode node)
    {
        int axes = a.Lengths.Length;
        if (!perm.Order().SequenceEqual(Enumerable.Range(0, axes).Select(i => (long)i)))
            throw node.Bad($"[{string.Join(", ", perm)}] is not a permutation of {axes} axes");
        long[] lengths = [.. perm.Select(axis => a.Lengths[axis])], steps = new long[axes];
        long step = 1;
        for (int axis = axes - 1; axis >= 0; axis--, step *= a.Lengths[axis + 1])
            steps[axis] = step;
        int[] from = new int[a.Count];
        long[] at = new long[axes];
        for (int i = 0; i < from.Length; i++)
        {
            for (int axis = 0; axis < axes; axis++)
                from[i] += (int)(at[axis] * steps[perm[axis]]);
            for (int axis = axes - 1; axis >= 0 && ++at[axis] == lengths[axis]; axis--)
                at[axis] = 0;
        }
        return new(lengths, a.Floats is null ? null : [.. from.Select(i => a.Floats[i])], a.Ints is null ? null : [.. from.Select(i => a.Ints[i])]);
    }

    static long[] Unsqueezed(long[] lengths, long[] axes, OnnxNode node)
    {
        List<long> all = [.. lengths];
        int rank = lengths.Length + axes.Length;
        foreach (long axis in axes.Select(axis => axis < 0 ? axis + rank : axis).Order())
            all.Insert(axis >= 0 && axis <= all.Count ? (int)axis : throw node.Bad($"axis {axis} is outside a tensor of {rank} axes"), 1);
        return [.. all];
    }

    static long[] Squeezed(long[] lengths, long[]? axes, OnnxNode node)
    {
        HashSet<long> gone = [.. axes?.Select(axis => axis < 0 ? axis + lengths.Length : axis) ?? Enumerable.Range(0, lengths.Length).Where(i => lengths[i] == 1).Select(i => (long)i)];
        return gone.All(axis => axis >= 0 && axis < lengths.Length && lengths[axis] == 1)
            ? [.. lengths.Where((_, i) => !gone.Contains(i))] : throw node.Bad($"squeezes axes of [{string.Join(", ", lengths)}] that are not 1 long");
    }

    static OnnxConstant Gather(OnnxConstant a, OnnxConstant indices, long[] at, OnnxNode node)
    {
        node.Requires("axis", 0);
        return new(indices.Lengths, null, [.. at.Select(i => (i < 0 ? i + a.Count : i) is var place && place >= 0 && place < a.Count
            ? a.Ints![place] : throw node.Bad($"index {i} is outside {a.Count} values"))]);
    }

    static OnnxConstant? Concat(OnnxNode node, OnnxGraph graph)
    {
        OnnxConstant[] parts = [.. node.Inputs.Select(name => graph.Constant(name)!)];
        return parts.All(part => part is { Ints: not null, Lengths.Length: 1 }) ? OnnxConstant.Of([.. parts.SelectMany(part => part.Ints!)]) : null;
    }

    /// <summary>Slices integers along the given axes, with positive or negative steps.</summary>
    static OnnxConstant? Slice(OnnxConstant a, OnnxNode node, OnnxGraph graph)
    {
        long[]? starts = node.Ints("starts") ?? graph.Constant(node.Input(1))?.Ints, ends = node.Ints("ends") ?? graph.Constant(node.Input(2))?.Ints;
        long[] axes = node.Ints("axes") ?? graph.Constant(node.Input(3))?.Ints ?? [.. Enumerable.Range(0, starts?.Length ?? 0).Select(i => (long)i)];
        long[] steps = graph.Constant(node.Input(4))?.Ints ?? [.. axes.Select(_ => 1L)];
        if (starts is null || ends is null || starts.Length != axes.Length || ends.Length != axes.Length || steps.Length != axes.Length)
            return null;
        for (int i = 0; i < axes.Length; i++)
        {
            long axis = axes[i] < 0 ? axes[i] + a.Lengths.Length : axes[i], step = steps[i];
            if (axis < 0 || axis >= a.Lengths.Length || step is 0 or < -int.MaxValue or > int.MaxValue)
                return null;
            long length = a.Lengths[axis], least = step > 0 ? 0 : -1, most = step > 0 ? length : length - 1;
            long start = Math.Clamp(starts[i] < 0 ? starts[i] + length : starts[i], Math.Max(least, 0), most);
            long end = Math.Clamp(ends[i] < 0 ? Math.Max(ends[i], -length - 1) + length : ends[i], least, most);
            List<long> kept = [];
            for (long at = start; step > 0 ? at < end : at > end; at += step)
                kept.Add(at);
            a = Kept(a, (int)axis, kept);
        }
        return a;
    }

    /// <summary>Selects the given indices of an axis.</summary>
    static OnnxConstant Kept(OnnxConstant a, int axis, List<long> places)
    {
        long inner = a.Lengths.Skip(axis + 1).Aggregate(1L, (product, length) => product * length), length = a.Lengths[axis];
        long outer = length * inner == 0 ? 0 : a.Count / (length * inner);
        long[] lengths = [.. a.Lengths];
        lengths[axis] = places.Count;
        List<long> values = [];
        for (long o = 0; o < outer; o++)
            foreach (long place in places)
                for (long i = 0; i < inner; i++)
                    values.Add(a.Ints![(o * length + place) * inner + i]);
        return new(lengths, null, [.. values]);
    }

    static OnnxConstant? Filled(long[] lengths, OnnxNode node)
    {
        long count = 1;
        foreach (long length in lengths)
            count = length is < 0 or > 4096 || count * length > 4096
                ? throw node.Bad($"makes a constant of shape [{string.Join(", ", lengths)}]; at most 4096 numbers are supported") : count * length;
        OnnxConstant value = node.Tensor("value") is { } tensor ? OnnxConstant.Read(tensor, "") : new([1], [0], null);
        return value.Count != 1 ? null : value.Ints is { } whole
            ? new(lengths, null, [.. Enumerable.Repeat(whole[0], (int)count)]) : new(lengths, [.. Enumerable.Repeat(value.Floats![0], (int)count)], null);
    }

    /// <summary>Combines two constants elementwise. Both have the same shape, or one of them is a single number.</summary>
    static OnnxConstant? Combine(OnnxConstant a, OnnxConstant b, OnnxNode node)
    {
        if (a.Count == 0 || b.Count == 0 || a.Count != 1 && b.Count != 1 && !a.Lengths.SequenceEqual(b.Lengths))
            return null;
        int count = Math.Max(a.Count, b.Count);
        long[] lengths = a.Count >= b.Count && (a.Count > 1 || a.Lengths.Length >= b.Lengths.Length) ? a.Lengths : b.Lengths;
        if (a.Ints is { } x && b.Ints is { } y)
        {
            return x.Contains(OnnxConstant.AnyBatch) || y.Contains(OnnxConstant.AnyBatch) || (node.Op == "Div" && y.Contains(0)) ? null : new(lengths, null, [.. Enumerable.Range(0, count).Select(i => (x[a.Count == 1 ? 0 : i], y[b.Count == 1 ? 0 : i]) switch
            {
                var (m, n) when node.Op == "Add" => m + n,
                var (m, n) when node.Op == "Sub" => m - n,
                var (m, n) when node.Op == "Mul" => m * n,
                var (m, n) => n == -1 ? -m : m / n,
            })]);
        }
        (float[] f, float[] g) = (a.AsFloats, b.AsFloats);
        return new(lengths, [.. Enumerable.Range(0, count).Select(i => (f[a.Count == 1 ? 0 : i], g[b.Count == 1 ? 0 : i]) switch
        {
            var (m, n) when node.Op == "Add" => m + n,
            var (m, n) when node.Op == "Sub" => m - n,
            var (m, n) when node.Op == "Mul" => m * n,
            var (m, n) => m / n,
        })], null);
    }
}

namespace MiniCnn.Interop;

/// <summary>
/// Which layer of a model is which call of a module: both in the order in which they run, paired by kind and by the shapes of their parameters so that the
/// least is left over. A ReLU or a flatten may be left over: a module calls functions for them.
/// </summary>
static class Pairing
{
    const int Never = 1000;

    /// <summary>The layers inside, in the order in which they run.</summary>
    public static IEnumerable<Layer> Leaves(Layer model) => model is Container container ? container.Children.SelectMany(child => Leaves(child.Layer)) : [model];

    public static Dictionary<Layer, Call> Of(Layer model, IReadOnlyList<Call> calls)
    {
        Layer[] layers = [.. Leaves(model)];

        // cost[i, j]: the least cost of pairing layers i … with calls j … (the edit distance of two sequences).
        int[,] cost = new int[layers.Length + 1, calls.Count + 1];
        for (int i = layers.Length; i >= 0; i--)
            for (int j = calls.Count; j >= 0; j--)
                cost[i, j] = i == layers.Length && j == calls.Count ? 0 : Math.Min(Both(i, j), Math.Min(LayerAlone(i, j), CallAlone(i, j)));

        Dictionary<Layer, Call> pairs = new(ReferenceEqualityComparer.Instance);
        for (int i = 0, j = 0; i < layers.Length && j < calls.Count;)
        {
            if (cost[i, j] == Both(i, j))
                pairs.Add(layers[i++], calls[j++]);
            else if (cost[i, j] == LayerAlone(i, j))
                i++;
            else
                j++;
        }
        return pairs;

        int Both(int i, int j) => i < layers.Length && j < calls.Count ? Distance(layers[i], calls[j]) + cost[i + 1, j + 1] : Never * 2;
        int LayerAlone(int i, int j) => i < layers.Length ? Alone(layers[i].GetType().Name, layers[i].Parameters.Count) + cost[i + 1, j] : Never * 2;
        int CallAlone(int i, int j) => j < calls.Count ? Alone(calls[j].Kind, calls[j].Parameters.Count) + cost[i, j + 1] : Never * 2;
    }

    static int Alone(string kind, int parameters) => kind is nameof(Flatten) or nameof(Identity) or nameof(Dropout) ? 1 : parameters == 0 ? 4 : 12;

    static int Distance(Layer layer, Call call)
    {
        bool sameShapes = layer.Parameters.Select(p => $"{Shape(p)}").SequenceEqual(call.Parameters.Values.Select(v => $"{v}"));
        if (layer.GetType().Name == call.Kind)
            return sameShapes ? 0 : 3;
        return layer.Parameters.Count == 0 && call.Parameters.Count == 0 ? 6 : sameShapes ? 5 : Never;
    }

    static Values Shape(Parameter p) => new([], [.. p.Value.Lengths.ToArray().Select(n => (long)n)]);
}

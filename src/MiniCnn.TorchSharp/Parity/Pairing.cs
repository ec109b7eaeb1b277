namespace MiniCnn.Interop;

/// <summary>
/// Pairs the layers of a model with the calls of a module, both in execution order. The pairing has the least cost by layer types, parameter shapes and
/// unpaired layers. A ReLU or Flatten may remain unpaired, because modules often call functions for them.
/// </summary>
static class Pairing
{
    public const int MostBranches = 4;                   // 4! = 24 orders
    const int Never = 1_000_000;

    /// <summary>Returns the layers that are not containers, in execution order.</summary>
    public static IEnumerable<Layer> Leaves(Layer model) => Leaves(model, []);

    static IEnumerable<Layer> Leaves(Layer model, Dictionary<Layer, int[]> orders)
    {
        if (model is not Container container)
            return [model];
        IEnumerable<int> order = orders.GetValueOrDefault(model) ?? Enumerable.Range(0, container.Children.Count);
        return order.SelectMany(i => Leaves(container.Children[i].Layer, orders));
    }

    public static Dictionary<Layer, Call> Of(Layer model, IReadOnlyList<Call> calls)
    {
        Dictionary<Layer, int[]> orders = [];            // orders of branches, which a module may call in another order
        (int cost, Dictionary<Layer, Call> pairs) = Of([.. Leaves(model)], calls);
        foreach (Container branches in Branches(model).Where(branches => branches.Children.Count is > 1 and <= MostBranches))
        {
            foreach (int[] order in Orders(branches.Children.Count))
            {
                if (cost == 0)
                    return pairs;
                int[]? before = orders.GetValueOrDefault(branches);
                orders[branches] = order;
                (int other, Dictionary<Layer, Call> otherPairs) = Of([.. Leaves(model, orders)], calls);
                if (other < cost)
                    (cost, pairs) = (other, otherPairs);
                else if (before is null)
                    orders.Remove(branches);
                else
                    orders[branches] = before;
            }
        }
        return pairs;
    }

    /// <summary>Returns all permutations of 0 … count − 1.</summary>
    public static IEnumerable<int[]> Orders(int count) => count == 0
        ? [[]]
        : Orders(count - 1).SelectMany(order => Enumerable.Range(0, count).Select(at => (int[])[.. order[..at], count - 1, .. order[at..]]));

    /// <summary>Returns the containers with branches that a module may call in another order.</summary>
    static IEnumerable<Container> Branches(Layer model)
    {
        if (model is not Container container)
            return [];
        IEnumerable<Container> inside = container.Children.SelectMany(child => Branches(child.Layer));
        return container is Residual or Concat ? inside.Prepend(container) : inside;
    }

    static (int Cost, Dictionary<Layer, Call> Pairs) Of(Layer[] layers, IReadOnlyList<Call> calls)
    {
        // cost[i, j]: the least cost of pairing the layers from i on with the calls from j on (edit distance of two sequences).
        int[,] cost = new int[layers.Length + 1, calls.Count + 1];
        for (int i = layers.Length; i >= 0; i--)
            for (int j = calls.Count; j >= 0; j--)
                cost[i, j] = i == layers.Length && j == calls.Count ? 0 : Math.Min(Both(i, j), Math.Min(LayerAlone(i, j), CallAlone(i, j)));

        Dictionary<Layer, Call> pairs = [];
        for (int i = 0, j = 0; i < layers.Length && j < calls.Count;)
        {
            if (cost[i, j] == Both(i, j))
                pairs.Add(layers[i++], calls[j++]);
            else if (cost[i, j] == LayerAlone(i, j))
                i++;
            else
                j++;
        }
        return (cost[0, 0], pairs);

        int Both(int i, int j) => i < layers.Length && j < calls.Count ? Distance(layers[i], calls[j]) + cost[i + 1, j + 1] : Never * 2;

        int LayerAlone(int i, int j) =>
            i < layers.Length ? Alone(layers[i].GetType().Name, layers[i].Parameters.Count) + cost[i + 1, j] : Never * 2;

        int CallAlone(int i, int j) => j < calls.Count ? Alone(calls[j].Kind, calls[j].Parameters.Count) + cost[i, j + 1] : Never * 2;
    }

    static int Alone(string kind, int parameters) =>
        kind is nameof(Flatten) or nameof(Unflatten) or nameof(Identity) or nameof(Dropout) ? 1
        : parameters == 0 ? 4
        : 12;

    static int Distance(Layer layer, Call call)
    {
        bool sameShapes = layer.Parameters.Select(p => $"{Shape(p)}").SequenceEqual(call.Parameters.Values.Select(v => $"{v}"));
        if (layer.GetType().Name == call.Kind)
            return sameShapes ? 0 : 3;
        return layer.Parameters.Count == 0 && call.Parameters.Count == 0 ? 6 : sameShapes ? 5 : Never;
    }

    static Values Shape(Parameter p) => new([], Values.ShapeOf(p.Value.Lengths));
}

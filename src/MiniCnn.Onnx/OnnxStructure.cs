namespace MiniCnn.OnnxModels;

/// <summary>
/// Builds nested layers from a graph. A chain becomes a <see cref="Sequential"/>, a sum or difference a <see cref="Residual"/>, a concatenation a
/// <see cref="Concat"/>. Branches that join begin at their nearest common dominator: the last tensor that all paths to them pass through.
/// </summary>
sealed class OnnxStructure
{
    const int Deepest = 24;                                      // nesting depth of branches

    /// <summary>A tensor of the graph: the node that computes it, and its immediate dominator.</summary>
    sealed record Place(OnnxNode? Node, string[] Inputs, Layer[] Layers, string Dominator, int Depth);

    readonly Dictionary<string, Place> places = [];
    readonly HashSet<string> used = [];
    readonly string input;

    public OnnxStructure(OnnxGraph graph) => places[input = graph.Input.Name] = new(null, [], [], "", 0);

    /// <summary>Adds a node. The nodes of its inputs must be added before.</summary>
    public void Add(OnnxNode node, string[] inputs, Layer[] layers)
    {
        string dominator = inputs[0];
        foreach (string other in inputs.Skip(1))
            dominator = Common(dominator, other);
        places[node.Output] = new(node, inputs, layers, dominator, places[dominator].Depth + 1);
    }

    string Common(string a, string b)
    {
        while (a != b)
        {
            if (places[a].Depth >= places[b].Depth)
                a = places[a].Dominator;
            else
                b = places[b].Dominator;
        }
        return a;
    }

    /// <summary>Returns all layers up to the graph's output.</summary>
    public Layer Network(string output) => Chain(input, output, 0) is { Count: > 0 } layers ? new Sequential([.. layers]) : new Sequential(new Identity());

    /// <summary>Returns the layers between two tensors.</summary>
    List<Layer> Chain(string from, string to, int depth)
    {
        List<Layer> layers = [];
        while (to != from)
        {
            Place place = places[to];
            OnnxNode node = place.Node!;
            if (depth > Deepest)
                throw node.Bad($"is nested more than {Deepest} branches deep");
            if (!used.Add(to))
                throw node.Bad("is part of several branches; only chains, sums and concatenations of separate branches are supported");
            layers.AddRange(place.Inputs.Length == 1 ? place.Layers.Reverse() : [Join(place, depth)]);
            to = place.Dominator;
        }
        layers.Reverse();
        return layers;
    }

    Layer Join(Place place, int depth)
    {
        List<Layer>[] branches = [.. place.Inputs.Select(name => Chain(place.Dominator, name, depth + 1))];
        if (place.Node!.Op == "Concat")
            return new Concat([.. branches.Select(Whole)]);
        branches[^1].AddRange(place.Layers);
        if (branches.Length > 2)
            throw place.Node.Bad("adds more than two branches; a Residual adds two");
        // A branch without layers is the identity, the default shortcut of a Residual. Of two branches with layers, the longer one is the body.
        (List<Layer> body, List<Layer> shortcut) = branches[0].Count >= branches[1].Count ? (branches[0], branches[1]) : (branches[1], branches[0]);
        return new Residual(Whole(body), shortcut is [] ? null : Whole(shortcut));
    }

    static Layer Whole(List<Layer> layers) => layers switch { [] => new Identity(), [var one] => one, _ => new Sequential([.. layers]) };
}

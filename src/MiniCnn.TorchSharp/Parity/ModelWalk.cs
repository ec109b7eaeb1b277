namespace MiniCnn.Interop;

/// <summary>Computes a layer. Back computes ∂loss/∂x from ∂loss/∂y. Null means that a value could not be computed.</summary>
delegate (Values? Y, Func<Values?, Values?> Back) Step(Layer layer, Values? x);

/// <summary>Runs a model layer by layer. It computes containers itself and calls a function for the other layers.</summary>
/// <param name="leaf">Computes a layer that is not a container.</param>
/// <param name="rounds">Whether sums are rounded to float.</param>
sealed class ModelWalk(Step leaf, bool rounds)
{
    static readonly Dictionary<Layer, Func<Values[], Values?>> nothing = [];

    /// <summary>
    /// Functions that replace layers in the forward pass. They take the layer's input; for a Residual, the outputs of body and shortcut; for a Concat, the
    /// outputs of its branches.
    /// </summary>
    public IReadOnlyDictionary<Layer, Func<Values[], Values?>> Instead { get; init; } = nothing;

    public (Values? Y, Func<Values?, Values?> Back) Run(Layer layer, Values? x)
    {
        Instead.TryGetValue(layer, out Func<Values[], Values?>? instead);
        switch (layer)
        {
            case Residual or Concat:
                Layer[] children = [.. ((Container)layer).Children.Select(child => child.Layer)];
                (Values? Y, Func<Values?, Values?> Back)[] branches = [.. children.Select(child => Run(child, x))];
                if (layer is Residual && branches.Length == 1)
                    branches = [branches[0], (x, dy => dy)];
                Values[] parts = [.. branches.Select(branch => branch.Y).OfType<Values>()];
                if (parts.Length < branches.Length)
                    return (null, _ => null);
                if (instead is not null)
                    return (instead(parts), _ => null);
                return layer is Residual
                    ? (Sum(parts[0], parts[1]), dy => Sum(branches[0].Back(dy), branches[1].Back(dy)))
                    : (Values.Cat(parts), dy => BackThroughCat(dy, parts, branches));
            case Container container:
                Stack<Func<Values?, Values?>> backs = [];
                foreach ((_, Layer child) in container.Children)
                {
                    (x, Func<Values?, Values?> back) = Run(child, x);
                    backs.Push(back);
                }
                return (x, dy => backs.Aggregate(dy, (gradient, back) => back(gradient)));
            default:
                return instead is null ? leaf(layer, x) : (x is null ? null : instead([x]), _ => null);
        }
    }

    Values? BackThroughCat(Values? dy, Values[] parts, (Values? Y, Func<Values?, Values?> Back)[] branches)
    {
        long first = 0;
        Values? dx = null;
        for (int i = 0; i < parts.Length; i++)
        {
            Values? part = branches[i].Back(dy?.Channels(first, parts[i].Shape[1]));
            dx = i == 0 ? part : Sum(dx, part);
            first += parts[i].Shape[1];
        }
        return dx;
    }

    Values? Sum(Values? a, Values? b)
    {
        Values? sum = a is null || b is null ? null : a.Plus(b);
        return rounds ? sum?.Map(x => (float)x) : sum;
    }
}

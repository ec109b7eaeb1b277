namespace MiniCnn.Interop;

/// <summary>A result, and the way from its gradient back to that of what it was made of; null stands for what could not be computed.</summary>
delegate (Values? Y, Func<Values?, Values?> Back) Step(Layer layer, Values? x);

/// <summary>Runs a model layer by layer: what containers do stands here, what a layer inside does is given.</summary>
/// <param name="leaf">What becomes of x in a layer that has none inside.</param>
/// <param name="rounds">Whether sums are rounded to float.</param>
sealed class ModelWalk(Step leaf, bool rounds)
{
    /// <summary>Layers that are left out, the identity in their place; of a Residual, the shortcut.</summary>
    public Layer? Without { get; init; }

    public (Values? Y, Func<Values?, Values?> Back) Run(Layer layer, Values? x)
    {
        if (layer is Residual residual)
        {
            (Values? Y, Func<Values?, Values?> Back)[] branches =
                [Run(residual.Children[0].Layer, x), .. residual.Children.Skip(1).Select(child => Run(child.Layer, x))];
            if (layer == Without)
                return branches[0];
            return (Sum(branches[0].Y, branches.Length > 1 ? branches[1].Y : x), dy => Sum(branches[0].Back(dy), branches.Length > 1 ? branches[1].Back(dy) : dy));
        }
        if (layer is Concat concat)
        {
            (Values? Y, Func<Values?, Values?> Back)[] branches = [.. concat.Children.Select(child => Run(child.Layer, x))];
            Values[] parts = [.. branches.Select(branch => branch.Y).OfType<Values>()];
            return parts.Length < branches.Length ? (null, _ => null) : (Values.Cat(parts), dy =>
            {
                long first = 0;
                Values? dx = null;
                foreach ((Values y, Func<Values?, Values?> back) in parts.Zip(branches, (y, branch) => (y, branch.Back)))
                {
                    Values? part = back(dy?.Channels(first, y.Shape[1]));
                    dx = first == 0 ? part : Sum(dx, part);
                    first += y.Shape[1];
                }
                return dx;
            });
        }
        if (layer is Container container)
        {
            Stack<Func<Values?, Values?>> backs = [];
            foreach ((_, Layer child) in container.Children)
            {
                (x, Func<Values?, Values?> back) = Run(child, x);
                backs.Push(back);
            }
            return (x, dy => backs.Aggregate(dy, (gradient, back) => back(gradient)));
        }
        return layer == Without ? (x, dy => dy) : leaf(layer, x);
    }

    Values? Sum(Values? a, Values? b)
    {
        Values? sum = a is null || b is null ? null : a.Plus(b);
        return rounds ? sum?.Map(x => (float)x) : sum;
    }
}

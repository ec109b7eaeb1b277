namespace MiniCnn;

/// <summary>y = the outputs of all branches, each made of the same x, one behind the other along the channels; dx is the sum of the branches' dx.</summary>
/// <remarks>
/// torch.cat of the branches' outputs with dim=1; features [N, F] too. In a model's file the branches are “0”, “1”, ….
/// With <see cref="Identity"/> as a branch, x itself stands beside what is made of it: a level of a U-Net.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.cat.html; Szegedy et al., Going Deeper with Convolutions, 2014.
/// </remarks>
public sealed class Concat : Container
{
    readonly Layer[] branches;

    /// <summary>Takes the branches in; each layer can stand in one place of one model only.</summary>
    /// <exception cref="ArgumentException">No branches, or one that already has its place.</exception>
    public Concat(params ReadOnlySpan<Layer> branches) : base([.. branches.ToArray().Select((branch, i) => ($"{i}", branch))])
    {
        if (branches.IsEmpty)
            throw new ArgumentException("a Concat needs at least one branch");
        this.branches = branches.ToArray();
    }

    /// <summary>The branches in order.</summary>
    public IReadOnlyList<Layer> Branches => branches;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        ImageShape first = branches[0].OutputShape(input);
        long channels = first.Channels;
        for (int i = 1; i < branches.Length; i++)                              // each once: branches within branches would double the calls
        {
            ImageShape shape = branches[i].OutputShape(input);
            if (shape with { Channels = first.Channels } != first)
            {
                Refuse($"branch 0, {branches[0]}, makes {first} of {input}, but branch {i}, {branches[i]}, {shape}; heights and widths must be equal: "
                    + "give the branches the same stride, Padding.Same, and to pool and upsample again sizes that divide evenly");
            }
            channels += shape.Channels;
        }
        if (channels * first.Height * first.Width > Array.MaxLength)
            Refuse($"an output of {channels}×{first.Height}×{first.Width} has more numbers than an array holds");
        return first with { Channels = (int)channels };
    }

    /// <summary>“Concat(4 branches)”.</summary>
    public override string ToString() => $"Concat({branches.Length} branches)";

    internal override Padding InputMargin(ImageShape input)
    {
        Padding margin = default;
        foreach (Layer branch in branches)
            margin = margin.Or(branch.InputMargin(input));
        return margin;
    }

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        for (int i = 0, channel = 0; i < branches.Length; i++)
        {
            LayerContext<T> inner = context.Child(i);
            LaneTensor<T> part = inner.Y.Take(x, branches[i].OutputShape(x.Shape));
            branches[i].Forward(x, part, inner);
            Workers.RunPlanes(part, new CopyPlane<T>(part, y, channel, toWhole: true));
            channel += part.Shape.Channels;
        }
    }

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        for (int i = 0, channel = 0; i < branches.Length; i++)
        {
            LayerContext<T> inner = context.Child(i);
            LaneTensor<T> output = inner.Y.Kept, part = inner.Dy.Take(x, output.Shape, branches[i].GradientMargin(x.Shape));
            Workers.RunPlanes(part, new CopyPlane<T>(part, dy, channel, toWhole: false));
            channel += part.Shape.Channels;
            LaneTensor<T>? gradient = dx is null || i == 0 ? dx : context.State<LaneBuffer<T>>().Take(x, x.Shape);
            branches[i].Backward(x, output, part, gradient, inner);
            if (dx is not null && i > 0)
                Elementwise.Add(dx, gradient!, dx, default(NoCurve<T>));
        }
    }

    /// <summary>Copies a part to or from its channels of the whole, of which the first one is given.</summary>
    readonly unsafe struct CopyPlane<T>(LaneTensor<T> part, LaneTensor<T> whole, int first, bool toWhole) : IWork where T : unmanaged
    {
        public void Run(int plane)
        {
            (int block, int channel) = Math.DivRem(plane, part.Shape.Channels);
            for (int row = 0; row < part.Shape.Height; row++)
            {
                Span<T> here = new(part.At(plane, row), part.RowLength), there = new(whole.At(block, first + channel, row), part.RowLength);
                (toWhole ? here : there).CopyTo(toWhole ? there : here);
            }
        }
    }
}

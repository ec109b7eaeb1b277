namespace MiniCnn;

/// <summary>Runs all branches on the same x and concatenates their outputs along the channel axis. dx is the sum of the gradients of all branches.</summary>
/// <remarks>
/// Corresponds to torch.cat of the branch outputs with dim=1, for images [N, C, H, W] and for features [N, F]. In a model file the branches are named
/// “0”, “1”, …. With <see cref="Identity"/> as a branch, y also contains x itself, as in a skip connection of a U-Net.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.cat.html; Szegedy et al., Going Deeper with Convolutions, 2014.
/// </remarks>
public sealed class Concat : Container
{
    readonly Layer[] branches;

    /// <summary>Creates a layer of parallel branches. A layer can be used only once, in one model.</summary>
    /// <param name="branches">At least one branch. Their outputs must have equal heights and widths.</param>
    /// <exception cref="ArgumentException">There are no branches, or a branch is null or is already part of a model.</exception>
    public Concat(params ReadOnlySpan<Layer> branches) : base([.. branches.ToArray().Select((branch, i) => ($"{i}", branch))])
    {
        if (branches.IsEmpty)
            throw new ArgumentException("a Concat needs at least one branch");
        this.branches = branches.ToArray();
    }

    /// <summary>The branches, in the order of their channels in y.</summary>
    public IReadOnlyList<Layer> Branches => branches;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        ImageShape first = branches[0].OutputShape(input);
        long channels = first.Channels;
        for (int i = 1; i < branches.Length; i++)        // one call per branch: a second call would double the calls at each level of nested Concats
        {
            ImageShape shape = branches[i].OutputShape(input);
            if (shape with { Channels = first.Channels } != first)
            {
                Refuse($"branch 0, {branches[0]}, outputs {first} for an input of {input}, but branch {i}, {branches[i]}, outputs {shape}; heights and widths "
                    + "must be equal: use the same stride and Padding.Same in all branches, and image sizes divisible by the factor of a pool and upsample");
            }
            channels += shape.Channels;
        }
        return Output(channels, first.Height, first.Width) with { IsFlat = first.IsFlat };
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

    /// <summary>Copies one branch's tensor (part) to or from its channels of the whole tensor, which begin at first.</summary>
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

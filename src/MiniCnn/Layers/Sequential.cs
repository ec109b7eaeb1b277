using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Layers one after another: y = fₙ(… f₁(f₀(x))). Owns every activation and gradient between them.</summary>
public sealed class Sequential : Container
{
    readonly Layer[] layers;
    Step[] steps;

    /// <summary>Takes the layers in; each can stand in one place of one model only.</summary>
    /// <exception cref="ArgumentException">No layers, or one that already has its place.</exception>
    public Sequential(params ReadOnlySpan<Layer> layers) : base([.. layers.ToArray().Select((layer, i) => ($"{i}", layer))])
    {
        if (layers.IsEmpty)
            throw new ArgumentException("a Sequential needs at least one layer");
        this.layers = layers.ToArray();
        steps = [.. Fusion.Steps(this.layers)];
    }

    /// <summary>The layers in order.</summary>
    public IReadOnlyList<Layer> Layers => layers;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        foreach (Layer layer in layers)
            input = layer.OutputShape(input);
        return input;
    }

    /// <summary>
    /// Puts a layer in another's place, as PyTorch's <c>model[-1] = nn.Linear(…)</c>: a new head on what is learnt already. Make the optimizer
    /// afterwards, of what <see cref="Layer.Parameters"/> are then.
    /// </summary>
    /// <param name="index">Which layer; ^1 for the last.</param>
    /// <param name="layer">
    /// The new one. It keeps weights that it was given; else it gets those that <see cref="Layer.Initialize(int)"/> of this network would give it there, with
    /// the seed of last time, or 0. The old one can stand in another network.
    /// </param>
    /// <exception cref="ArgumentException">No such layer, or a new one that already has its place.</exception>
    /// <exception cref="InvalidOperationException">
    /// This network stands inside another one, or is running on another thread. Calls of a <see cref="Predictor"/> are not noticed: wait for them.
    /// </exception>
    public void Replace(Index index, Layer layer)
    {
        if (Place is not "")
            throw new InvalidOperationException($"{Description}: stands inside a network, which may have begun a pass; replace a layer of the outermost");
        int at = index.GetOffset(layers.Length);
        if (at < 0 || at >= layers.Length)
            throw new ArgumentOutOfRangeException(nameof(index), $"{this} has no layer {index}");
        using LayerSession session = Session.Enter();
        if (layer == this)
            throw new ArgumentException("a network cannot stand in itself", nameof(layer));
        Put(at, layer);
        session.Discard();
        layers[at] = layer;
        steps = [.. Fusion.Steps(layers)];
    }

    /// <summary>
    /// Every layer's output, one layer after another, not training. What <see cref="Layer.Forward"/> fuses runs by itself
    /// here; the numbers are equal to the bit. As any Forward, it discards what an earlier one kept.
    /// </summary>
    /// <param name="x">A batch, [N, C, H, W] or [N, features].</param>
    /// <returns>One tensor a layer (a model inside is one layer), the last one the model's own output.</returns>
    /// <exception cref="ArgumentException">A tensor of another rank, or images that a layer cannot take.</exception>
    /// <exception cref="InvalidOperationException">The model is running on another thread.</exception>
    public IReadOnlyList<Tensor<float>> Trace(Tensor<float> x)
    {
        using LayerSession session = Session.Enter();
        session.Discard();
        List<Tensor<float>> outputs = [];
        foreach (Layer layer in layers)
            outputs.Add(x = layer.Session.Forward(x, training: false, null, algorithm: ConvolutionAlgorithm));
        return outputs;
    }

    /// <summary>“Sequential(4 layers)”.</summary>
    public override string ToString() => $"Sequential({layers.Length} layers)";

    internal override IEnumerable<(Layer Layer, ImageShape Input)> Inputs(ImageShape input)
    {
        foreach (Layer layer in layers)
        {
            yield return (layer, input);
            input = layer.OutputShape(input);
        }
    }

    internal override Padding InputMargin(ImageShape input) => steps[0].InputMargin(input);

    internal override Padding GradientMargin(ImageShape input)
    {
        foreach (Step step in steps.AsSpan(0, steps.Length - 1))
            input = step.OutputShape(input);
        return steps[^1].GradientMargin(input);
    }

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        for (int i = 0; i < steps.Length; i++)
        {
            LayerContext<T> inner = context.Child(steps[i].Index);
            LaneTensor<T> next = y;
            if (i + 1 < steps.Length)
            {
                ImageShape shape = steps[i].OutputShape(x.Shape);
                next = inner.Y.Take(x, shape, steps[i + 1].InputMargin(shape));
            }
            steps[i].Forward(x, next, inner);
            x = next;
        }
    }

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        int first = 0;                                       // the step that the backward pass ends at: before it nothing learns
        while (dx is null && first < steps.Length && !steps[first].Learns)
            first++;
        for (int i = steps.Length - 1; i >= first; i--)
        {
            LayerContext<T> inner = context.Child(steps[i].Index);
            LaneTensor<T> from = InputOf(i);
            LaneTensor<T>? gradient = dx;
            if (i > first)
            {
                // The next layer's dy, with the margin that it asks for; the last one does not, where no dx is wanted.
                Padding margin = i == first + 1 && dx is null ? default : steps[i - 1].GradientMargin(InputOf(i - 1).Shape);
                gradient = inner.Dx.Take(x, from.Shape, margin);
            }
            steps[i].Backward(from, y, dy, gradient, inner);
            (y, dy) = (from, gradient!);
        }

        LaneTensor<T> InputOf(int step) => step == 0 ? x : context.Child(steps[step - 1].Index).Y.Kept;
    }
}

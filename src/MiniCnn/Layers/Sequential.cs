using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>A chain of layers: y = fₙ(… f₁(f₀(x))). It owns all activations and gradients between them.</summary>
public sealed class Sequential : Container
{
    readonly Layer[] layers;
    Step[] steps;

    /// <summary>Creates a network of layers. A layer can be used only once, in one model.</summary>
    /// <param name="layers">At least one layer, in the order of the forward pass.</param>
    /// <exception cref="ArgumentException">There are no layers, or a layer is null or is already part of a model.</exception>
    public Sequential(params ReadOnlySpan<Layer> layers) : base([.. layers.ToArray().Select((layer, i) => ($"{i}", layer))])
    {
        if (layers.IsEmpty)
            throw new ArgumentException("a Sequential needs at least one layer");
        this.layers = layers.ToArray();
        steps = [.. Fusion.Steps(this.layers)];
    }

    /// <summary>The layers, in the order of the forward pass.</summary>
    public IReadOnlyList<Layer> Layers => layers;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        foreach (Layer layer in layers)
            input = layer.OutputShape(input);
        return input;
    }

    /// <summary>
    /// Replaces a layer, as PyTorch's <c>model[-1] = nn.Linear(…)</c> does, for example to put a new head on a trained network. Create the optimizer
    /// afterwards, from the new <see cref="Layer.Parameters"/>. The old layer can then be used in another network.
    /// </summary>
    /// <param name="index">Index of the layer to replace; ^1 is the last one.</param>
    /// <param name="layer">
    /// The new layer. Weights that were set, trained or loaded are kept. Otherwise it gets the weights that <see cref="Layer.Initialize(int)"/> of this
    /// network gives it at this position, with the seed of the last call, or 0.
    /// </param>
    /// <exception cref="ArgumentException">The index is out of range, or the new layer is null or is already part of a model.</exception>
    /// <exception cref="InvalidOperationException">
    /// This network is part of another network, or is running on another thread. Calls of a <see cref="Predictor"/> are not detected: wait until they end.
    /// </exception>
    public void Replace(Index index, Layer layer)
    {
        if (Place is not "")
            throw new InvalidOperationException($"{Description}: is part of another network, which may be running; replace a layer of the outermost network");
        int at = index.GetOffset(layers.Length);
        if (at < 0 || at >= layers.Length)
            throw new ArgumentOutOfRangeException(nameof(index), $"{this} has no layer {index}");
        using LayerSession session = Session.Enter();
        if (layer == this)
            throw new ArgumentException("a network cannot contain itself", nameof(layer));
        Put(at, layer);
        session.Discard();
        layers[at] = layer;
        steps = [.. Fusion.Steps(layers)];
    }

    /// <summary>
    /// Computes the output of every layer in evaluation mode. Layers that <see cref="Layer.Forward"/> fuses run separately here; the results are
    /// bit-identical. Like every Forward, it discards the values that the previous Forward kept for a backward pass.
    /// </summary>
    /// <param name="x">A batch, [N, C, H, W] or [N, features].</param>
    /// <returns>One output tensor per layer. A nested container counts as one layer. The last tensor is the output of the network.</returns>
    /// <exception cref="ArgumentException">x has a wrong rank, or a layer does not support its input shape.</exception>
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
        int first = 0;                                       // the backward pass stops at this step: no earlier step has trainable parameters
        while (dx is null && first < steps.Length && !steps[first].Learns)
            first++;
        for (int i = steps.Length - 1; i >= first; i--)
        {
            LayerContext<T> inner = context.Child(steps[i].Index);
            LaneTensor<T> from = InputOf(i);
            LaneTensor<T>? gradient = dx;
            if (i > first)
            {
                // dy of the previous step, with the margin that its Backward prefers. The last step to run needs none if it computes no dx.
                Padding margin = i == first + 1 && dx is null ? default : steps[i - 1].GradientMargin(InputOf(i - 1).Shape);
                gradient = inner.Dx.Take(x, from.Shape, margin);
            }
            steps[i].Backward(from, y, dy, gradient, inner);
            (y, dy) = (from, gradient!);
        }

        LaneTensor<T> InputOf(int step) => step == 0 ? x : context.Child(steps[step - 1].Index).Y.Kept;
    }
}

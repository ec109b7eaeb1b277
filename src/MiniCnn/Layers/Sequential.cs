namespace MiniCnn;

/// <summary>Layers one after another: y = fₙ(… f₁(f₀(x))). Owns every activation and gradient between them.</summary>
public sealed class Sequential : Layer
{
    readonly Layer[] layers;

    /// <summary>Takes the layers in; each can stand in one place of one model only.</summary>
    /// <exception cref="ArgumentException">No layers, or one that already has its place.</exception>
    public Sequential(params ReadOnlySpan<Layer> layers)
    {
        if (layers.IsEmpty)
            throw new ArgumentException("a Sequential needs at least one layer");
        this.layers = layers.ToArray();
        for (int i = 0; i < layers.Length; i++)
        {
            if (layers[i] is null)
                throw new ArgumentException($"layer {i} is null");
            if (layers[i].Place is not "" || layers[..i].Contains(layers[i]))
                throw new ArgumentException($"{layers[i].Description}: has its place already, so it cannot be layer {i} too; make a new one");
        }
        for (int i = 0; i < layers.Length; i++)
            layers[i].PutAt($"{i}");
        Parameters = [.. this.layers.SelectMany(layer => layer.Parameters)];
    }

    /// <summary>The layers in order.</summary>
    public IReadOnlyList<Layer> Layers => layers;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        foreach (Layer layer in layers)
            input = layer.OutputShape(input);
        return input;
    }

    /// <summary>“Sequential(4 layers)”.</summary>
    public override string ToString() => $"Sequential({layers.Length} layers)";

    internal override bool RunsInDouble => layers.All(layer => layer.RunsInDouble);

    internal override void Initialize(TorchGenerator generator)
    {
        foreach (Layer layer in layers)
            layer.Initialize(generator);
    }

    internal override void PutAt(string place)
    {
        base.PutAt(place);
        for (int i = 0; i < layers.Length; i++)
            layers[i].PutAt($"{place}.{i}");
    }

    internal override Padding InputMargin(ImageShape input) => layers[0].InputMargin(input);

    internal override Padding GradientMargin(ImageShape input)
    {
        foreach (Layer layer in layers.AsSpan(0, layers.Length - 1))
            input = layer.OutputShape(input);
        return layers[^1].GradientMargin(input);
    }

    internal override void Forward<T, V>(LaneTensor<T> x, LaneTensor<T> y, Pass<T> pass)
    {
        for (int i = 0; i < layers.Length; i++)
        {
            LaneTensor<T> next = y;
            if (i + 1 < layers.Length)
            {
                ImageShape shape = layers[i].OutputShape(x.Shape);
                next = pass.Buffer(i, x, shape, layers[i + 1].InputMargin(shape));
            }
            layers[i].Forward<T, V>(x, next, pass.Child(i));
            x = next;
        }
    }

    internal override void Backward<T, V>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, Pass<T> pass)
    {
        for (int i = layers.Length - 1; i >= 0; i--)
        {
            LaneTensor<T> from = i == 0 ? x : pass.Kept(i - 1);
            LaneTensor<T>? gradient = dx;
            if (i > 0)
            {
                // The next layer's dy, with the margin that it asks for; the first one does not, where no dx is wanted.
                ImageShape input = i == 1 ? x.Shape : pass.Kept(i - 2).Shape;
                Padding margin = i == 1 && dx is null ? default : layers[i - 1].GradientMargin(input);
                gradient = pass.Buffer(layers.Length + i, x, from.Shape, margin);
            }
            layers[i].Backward<T, V>(from, y, dy, gradient, pass.Child(i));
            (y, dy) = (from, gradient!);
        }
    }
}

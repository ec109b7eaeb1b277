namespace MiniCnn;

/// <summary>A layer made of layers: <see cref="Sequential"/> and others. They nest in one another.</summary>
public abstract class Container : Layer
{
    /// <summary>Takes layers in under PyTorch's names for them; each can stand in one place of one model only.</summary>
    private protected Container(params IReadOnlyList<(string Name, Layer Layer)> children)
    {
        Children = children;
        HashSet<Layer> before = [];
        foreach ((string name, Layer layer) in children)
        {
            if (layer is null)
                throw new ArgumentException($"layer {name} is null");
            if (layer.Place is not "" || !before.Add(layer))
                throw new ArgumentException($"{layer.Description}: has its place already, so it cannot be layer {name} too; make a new one");
        }
        foreach ((string name, Layer layer) in children)
            layer.PutAt(name);
        Parameters = [.. children.SelectMany(child => child.Layer.Parameters)];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The layers inside in order, and what a model's file calls them.</summary>
    internal IReadOnlyList<(string Name, Layer Layer)> Children { get; }

    /// <summary>The layers inside, each with the shape that comes into it: here the same for all.</summary>
    internal virtual IEnumerable<(Layer Layer, ImageShape Input)> Inputs(ImageShape input) => Children.Select(child => (child.Layer, input));

    internal override long MultiplyAdds(ImageShape input) => Inputs(input).Sum(part => part.Layer.MultiplyAdds(part.Input));

    internal override bool RunsInDouble => Children.All(child => child.Layer.RunsInDouble);

    internal override IEnumerable<StoredTensor> Stored => Children.SelectMany(child => child.Layer.Stored);

    internal override void Initialize(TorchGenerator generator)
    {
        foreach ((_, Layer layer) in Children)
            layer.Initialize(generator);
    }

    internal override void PutAt(string place)
    {
        base.PutAt(place);
        foreach ((string name, Layer layer) in Children)
            layer.PutAt($"{place}.{name}");
    }
}

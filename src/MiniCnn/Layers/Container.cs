using System.Diagnostics.CodeAnalysis;

namespace MiniCnn;

/// <summary>A layer made of layers: <see cref="Sequential"/> and others. They nest in one another.</summary>
public abstract class Container : Layer
{
    Parameter[] parameters;

    /// <summary>Takes layers in under PyTorch's names for them; each can stand in one place of one model only.</summary>
    private protected Container(params IReadOnlyList<(string Name, Layer Layer)> children)
    {
        HashSet<Layer> before = [];
        foreach ((string name, Layer layer) in children)
        {
            CheckFree(layer, name);
            if (!before.Add(layer))
                RefuseTwice(layer, name);
        }
        Hold(children);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => parameters;

    /// <inheritdoc/>
    public override bool HoldInEvaluation
    {
        get => Children.All(child => child.Layer.HoldInEvaluation);
        set
        {
            foreach ((_, Layer layer) in Children)
                layer.HoldInEvaluation = value;
        }
    }

    /// <summary>The layers inside in order, and what a model's file calls them.</summary>
    internal IReadOnlyList<(string Name, Layer Layer)> Children { get; private set; }

    /// <summary>The layers inside, each with the shape that comes into it: here the same for all.</summary>
    internal virtual IEnumerable<(Layer Layer, ImageShape Input)> Inputs(ImageShape input) => Children.Select(child => (child.Layer, input));

    internal override long MultiplyAdds(ImageShape input) => Inputs(input).Sum(part => part.Layer.MultiplyAdds(part.Input));

    internal override bool RunsInDouble => Children.All(child => child.Layer.RunsInDouble);

    internal override IEnumerable<StoredTensor> Stored => Children.SelectMany(child => child.Layer.Stored);

    internal override IEnumerable<StoredTensor> Buffers => Children.SelectMany(child => child.Layer.Buffers);

    internal override void Initialize(TorchGenerator generator)
    {
        foreach ((_, Layer layer) in Children)
            layer.Initialize(generator);
    }

    internal override void PutAt(string place, Layer model)
    {
        base.PutAt(place, model);
        foreach ((string name, Layer layer) in Children)
            layer.PutAt(NameOf(name), model);
    }

    /// <summary>Puts a layer in another's place, which can stand elsewhere then.</summary>
    private protected void Put(int index, Layer layer)
    {
        (string name, Layer old) = Children[index];
        CheckFree(layer, name);
        old.PutAt("", old);
        Hold([.. Children.Select((child, i) => i == index ? (name, layer) : child)]);
    }

    [MemberNotNull(nameof(Children), nameof(parameters))]
    void Hold(IReadOnlyList<(string Name, Layer Layer)> children)
    {
        Children = children;
        parameters = [.. children.SelectMany(child => child.Layer.Parameters)];
        PutAt(Place, Model);
    }

    static void CheckFree(Layer layer, string name)
    {
        if (layer is null)
            throw new ArgumentException($"layer {name} is null");
        if (layer.Place is not "")
            RefuseTwice(layer, name);
    }

    [DoesNotReturn]
    static void RefuseTwice(Layer layer, string name) =>
        throw new ArgumentException($"{layer.Description}: has its place already, so it cannot be layer {name} too; make a new one");
}

using System.Diagnostics.CodeAnalysis;

namespace MiniCnn;

/// <summary>Base class of layers that contain layers: <see cref="Sequential"/>, <see cref="Residual"/> and <see cref="Concat"/>. They can be nested.</summary>
public abstract class Container : Layer
{
    Parameter[] parameters;

    /// <summary>Adds the child layers under their PyTorch names. A layer can be used only once, in one model.</summary>
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

    /// <summary>The child layers in order, with their names in a model file.</summary>
    internal IReadOnlyList<(string Name, Layer Layer)> Children { get; private set; }

    /// <summary>The child layers, each with its input shape. The base implementation gives all of them the container's input shape.</summary>
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

    /// <summary>Replaces a child layer. The old layer can then be used in another model.</summary>
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
        throw new ArgumentException($"{layer.Description}: is already part of a model, so it cannot be layer {name} too; create a new layer");
}

namespace MiniCnn;

/// <summary>
/// What one run of a layer has around it: whether it trains, the seed of its random numbers, and the buffers it works in.
/// Layers keep nothing of a run themselves, so one model can be run in several places at once.
/// </summary>
sealed class LayerContext<T> where T : unmanaged
{
    readonly List<LayerContext<T>?> children = [];
    object? state;

    /// <summary>Whether layers compute what they compute in training, but for those that are held in evaluation.</summary>
    public bool Training { get; set; }

    /// <summary>Whether the layer did in its last forward pass.</summary>
    public bool Trained { get; set; }

    /// <summary>Whether a backward pass may follow: in training always.</summary>
    public bool Differentiable { get => field || Training; set; }

    /// <summary>The seed of everything random.</summary>
    public int Seed { get; set; }

    /// <summary>Training passes before this one.</summary>
    public int Step { get; set; }

    /// <summary>How convolutions are computed.</summary>
    public ConvolutionAlgorithm Algorithm { get; set; }

    /// <summary>Tells layers of one model apart.</summary>
    public uint Purpose { get; private init; }

    /// <summary>The layer's x, y, dy and dx, for its caller, who keeps here what has no other place.</summary>
    public readonly LaneBuffer<T> X = new(), Y = new(), Dy = new(), Dx = new();

    /// <summary>The layer's own memory, of the type that it asks for: what it works in, and what its forward pass leaves for its backward pass.</summary>
    public S State<S>() where S : class, new() => state as S ?? (S)(state = new S());

    /// <summary>The context of a layer inside this one.</summary>
    public LayerContext<T> Child(int index)
    {
        while (children.Count <= index)
            children.Add(null);
        LayerContext<T> child = children[index] ??= new() { Purpose = Purpose * 257 + (uint)index + 1 };
        (child.Training, child.Differentiable, child.Seed, child.Step, child.Algorithm) = (Training, Differentiable, Seed, Step, Algorithm);
        return child;
    }
}

namespace MiniCnn;

/// <summary>
/// The state of one run of a layer: whether it trains, the random seed, and the buffers.
/// Layers store no state of a run themselves, so one model can run several times at once.
/// </summary>
sealed class LayerContext<T> where T : unmanaged
{
    readonly List<LayerContext<T>?> children = [];
    object? state;

    /// <summary>Whether the layers run in training mode, except layers that are kept in evaluation mode.</summary>
    public bool Training { get; set; }

    /// <summary>Whether the layer ran in training mode in its last forward pass.</summary>
    public bool Trained { get; set; }

    /// <summary>Whether a backward pass may follow; always true in training mode.</summary>
    public bool Differentiable { get => field || Training; set; }

    /// <summary>The random seed.</summary>
    public int Seed { get; set; }

    /// <summary>Number of training passes before this one.</summary>
    public int Step { get; set; }

    /// <summary>The algorithm of the convolutions.</summary>
    public ConvolutionAlgorithm Algorithm { get; set; }

    /// <summary>A number that identifies the layer within the model, so that each layer draws its own random numbers.</summary>
    public uint Purpose { get; private init; }

    /// <summary>Buffers for x, y, dy and dx of the layer. The caller of the layer uses them for tensors that it does not store elsewhere.</summary>
    public readonly LaneBuffer<T> X = new(), Y = new(), Dy = new(), Dx = new();

    /// <summary>The layer's own state, of the requested type: reusable memory, and data that the forward pass keeps for the backward pass.</summary>
    public S State<S>() where S : class, new() => state as S ?? (S)(state = new S());

    /// <summary>Returns the context of the inner layer with this index.</summary>
    public LayerContext<T> Child(int index)
    {
        while (children.Count <= index)
            children.Add(null);
        LayerContext<T> child = children[index] ??= new() { Purpose = Purpose * 257 + (uint)index + 1 };
        (child.Training, child.Differentiable, child.Seed, child.Step, child.Algorithm) = (Training, Differentiable, Seed, Step, Algorithm);
        return child;
    }
}

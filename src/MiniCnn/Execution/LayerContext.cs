namespace MiniCnn;

/// <summary>
/// What one run of a layer has around it: whether it trains, what its random numbers hang on, and the buffers it works in.
/// Layers keep nothing of a run themselves, so one model can be run in several places at once.
/// </summary>
sealed class LayerContext<T> where T : unmanaged
{
    readonly List<LayerContext<T>?> children = [];
    readonly List<LaneTensor<T>?> buffers = [];
    readonly T[][] numbers = [[], []];
    readonly nint[][] places = [[], []];

    /// <summary>Whether a backward pass may follow.</summary>
    public bool Training { get; set; }

    /// <summary>The seed of everything random.</summary>
    public int Seed { get; set; }

    /// <summary>Training passes before this one.</summary>
    public int Step { get; set; }

    /// <summary>Tells layers of one model apart.</summary>
    public uint Purpose { get; private init; }

    /// <summary>The context of a layer inside this one.</summary>
    public LayerContext<T> Child(int index)
    {
        while (children.Count <= index)
            children.Add(null);
        LayerContext<T> child = children[index] ??= new() { Purpose = Purpose * 257 + (uint)index + 1 };
        (child.Training, child.Seed, child.Step) = (Training, Seed, Step);
        return child;
    }

    /// <summary>The buffer of a number, with room for as many images as another tensor has. What it holds stays until the next call.</summary>
    public LaneTensor<T> Buffer(int number, LaneTensor<T> like, ImageShape shape, Padding margin = default) =>
        Buffer(number, like.Lanes, like.Count, shape, margin);

    public LaneTensor<T> Buffer(int number, int lanes, int count, ImageShape shape, Padding margin = default)
    {
        while (buffers.Count <= number)
            buffers.Add(null);
        LaneTensor<T>? buffer = buffers[number];
        if (buffer is null || buffer.Lanes != lanes || buffer.Shape != shape || buffer.Margin != margin)
        {
            buffer?.Free();
            buffers[number] = buffer = new(lanes, shape, margin);
        }
        return buffer.Resize(count);
    }

    /// <summary>One of two arrays of numbers, at least so long, for the length of a call.</summary>
    public T[] Numbers(int which, int length) => numbers[which].Length >= length ? numbers[which] : numbers[which] = new T[length];

    /// <summary>One of two arrays of places in memory, at least so long, for the length of a call.</summary>
    public nint[] Places(int which, int length) => places[which].Length >= length ? places[which] : places[which] = new nint[length];

    /// <summary>The buffer of a number as the forward pass left it.</summary>
    public LaneTensor<T> Kept(int number) => buffers[number]!;
}

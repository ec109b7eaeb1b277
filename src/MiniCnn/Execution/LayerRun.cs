using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>A layer called from outside: tensors in and out, lane tensors between, and the rules of who may call when.</summary>
sealed class LayerRun(Layer layer)
{
    readonly Buffers few = new(1), many = new(LaneTensor<float>.FullLanes);
    Buffers? ready;
    int running;

    public void Enter()
    {
        if (Interlocked.Exchange(ref running, 1) != 0)
            throw new InvalidOperationException($"{layer.Description} is running on another thread; a layer runs one call at a time");
    }

    public void Leave() => Volatile.Write(ref running, 0);

    /// <summary>Forgets the last Forward.</summary>
    public void Discard() => ready = null;

    public Tensor<float> Forward(Tensor<float> input, bool training, Tensor<float>? destination)
    {
        ready = null;
        ImageShape shape = ShapeOf(input), output = layer.OutputShape(shape);
        int count = (int)input.Lengths[0];
        CheckDestination(destination, count, output);
        Buffers run = LaneTensor<float>.LanesFor(count) == 1 ? few : many;
        LaneTensor<float> x = run.X(count, shape, layer.InputMargin(shape)), y = run.Y(count, output);
        x.Pack(input.AsSpan());
        (run.Context.Training, run.Context.Seed, run.Context.Step) = (training, layer.Seed, layer.Step);
        layer.Forward(x, y, run.Context);
        if (training)
        {
            layer.Step++;
            ready = run;
        }
        return ToTensor(y, destination);
    }

    public Tensor<float>? Backward(Tensor<float> gradient, bool wantsInput, Tensor<float>? destination)
    {
        if (ready is not { } run)
        {
            throw new InvalidOperationException(
                $"{layer.Description}: Backward needs a Forward with training: true before it, and takes what that kept only once");
        }
        (LaneTensor<float> x, LaneTensor<float> y) = run.Kept;
        if (ShapeOf(gradient) != y.Shape || gradient.Lengths[0] != y.Count)
        {
            throw new ArgumentException(
                $"{layer.Description}: dy must have the shape of y, {y.Count} × {y.Shape}, not [{string.Join(", ", gradient.Lengths.ToArray())}]");
        }
        CheckDestination(destination, x.Count, x.Shape);
        ready = null;
        LaneTensor<float> dy = run.Dy(y.Count, y.Shape);
        LaneTensor<float>? dx = wantsInput ? run.Dx(x.Count, x.Shape) : null;
        dy.Pack(gradient.AsSpan());
        layer.Backward(x, y, dy, dx, run.Context);
        return dx is null ? null : ToTensor(dx, destination);
    }

    ImageShape ShapeOf(Tensor<float> tensor)
    {
        ReadOnlySpan<nint> n = tensor.Lengths;
        if (n.Length is not (2 or 4))
            throw new ArgumentException($"{layer.Description}: a tensor [N, C, H, W] or [N, features] is needed, not one of {n.Length} axes");
        if (n[1..].ContainsAnyInRange(nint.MinValue, 0))
            throw new ArgumentException($"{layer.Description}: every size but the batch must be at least 1, not [{string.Join(", ", n.ToArray())}]");
        return n.Length == 2 ? ImageShape.Features((int)n[1]) : new((int)n[1], (int)n[2], (int)n[3]);
    }

    void CheckDestination(Tensor<float>? destination, int count, ImageShape shape)
    {
        if (destination is null || destination.IsDense && (shape.IsFlat
            ? destination.Lengths is [nint rows, nint features] && (rows, features) == (count, shape.Channels)
            : destination.Lengths is [nint n, nint c, nint h, nint w] && (n, c, h, w) == (count, shape.Channels, shape.Height, shape.Width)))
        {
            return;
        }
        throw new ArgumentException(
            $"{layer.Description}: the destination must be dense, [{string.Join(", ", Lengths(count, shape))}]"
            + $", not [{string.Join(", ", destination.Lengths.ToArray())}]");
    }

    static nint[] Lengths(int count, ImageShape shape) =>
        shape.IsFlat ? [count, shape.Channels] : [count, shape.Channels, shape.Height, shape.Width];

    /// <summary>The images as [N, C, H, W] or [N, features]: in the destination, or in a tensor of its own.</summary>
    public static Tensor<float> ToTensor(LaneTensor<float> lanes, Tensor<float>? destination = null)
    {
        if (destination is not null)
        {
            lanes.Unpack(destination.AsSpan());
            return destination;
        }
        float[] values = GC.AllocateUninitializedArray<float>(checked((int)(lanes.Count * lanes.Shape.Length)));
        lanes.Unpack(values);
        return Tensor.Create(values, Lengths(lanes.Count, lanes.Shape));
    }

    /// <summary>The buffers of runs with one number of lanes: a small batch between large ones takes no memory from them.</summary>
    sealed class Buffers(int lanes)
    {
        LaneTensor<float>? x, y, dy, dx;

        public LayerContext<float> Context { get; } = new();

        public (LaneTensor<float> X, LaneTensor<float> Y) Kept => (x!, y!);

        public LaneTensor<float> X(int count, ImageShape shape, Padding margin) => Room(ref x, count, shape, margin);

        public LaneTensor<float> Y(int count, ImageShape shape) => Room(ref y, count, shape, default);

        public LaneTensor<float> Dy(int count, ImageShape shape) => Room(ref dy, count, shape, default);

        public LaneTensor<float> Dx(int count, ImageShape shape) => Room(ref dx, count, shape, default);

        LaneTensor<float> Room(ref LaneTensor<float>? tensor, int count, ImageShape shape, Padding margin)
        {
            if (tensor is null || tensor.Shape != shape || tensor.Margin != margin)
            {
                tensor?.Free();
                tensor = new(lanes, shape, margin);
            }
            return tensor.Resize(count);
        }
    }
}

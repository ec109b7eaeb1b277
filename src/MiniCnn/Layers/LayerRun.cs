using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>A layer called from outside: tensors in and out, lane tensors between, and the rules of who may call when.</summary>
sealed class LayerRun(Layer layer)
{
    readonly Pass<float> pass = new();
    LaneTensor<float>? x, y, dy, dx;
    bool ready;
    int running;

    public void Enter()
    {
        if (Interlocked.Exchange(ref running, 1) != 0)
            throw new InvalidOperationException($"{layer.Description} is running on another thread; a layer runs one call at a time");
    }

    public void Leave() => Volatile.Write(ref running, 0);

    /// <summary>Forgets the last Forward.</summary>
    public void Discard() => ready = false;

    public Tensor<float> Forward(Tensor<float> input, bool training)
    {
        ready = false;
        ImageShape shape = ShapeOf(input), output = layer.OutputShape(shape);
        int count = (int)input.Lengths[0];
        x = Room(x, count, shape, layer.InputMargin(shape));
        y = Room(y, count, output, default);
        x.Pack(input.AsSpan());
        (pass.Training, pass.Seed, pass.Step) = (training, layer.Seed, layer.Step);
        Simd.Run(x.Lanes, new ForwardWork(layer, x, y, pass));
        if (training)
            layer.Step++;
        ready = training;
        return ToTensor(y);
    }

    public Tensor<float>? Backward(Tensor<float> gradient, bool wantsInput)
    {
        if (!ready)
        {
            throw new InvalidOperationException(
                $"{layer.Description}: Backward needs a Forward with training: true before it, and takes what that kept only once");
        }
        if (ShapeOf(gradient) != y!.Shape || gradient.Lengths[0] != y.Count)
        {
            throw new ArgumentException(
                $"{layer.Description}: dy must have the shape of y, {y.Count} × {y.Shape}, not [{string.Join(", ", gradient.Lengths.ToArray())}]");
        }
        ready = false;
        dy = Room(dy, y.Count, y.Shape, default);
        dy.Pack(gradient.AsSpan());
        dx = wantsInput ? Room(dx, x!.Count, x.Shape, default) : dx;
        Simd.Run(x!.Lanes, new BackwardWork(layer, x, y, dy, wantsInput ? dx : null, pass));
        return wantsInput ? ToTensor(dx!) : null;
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

    static LaneTensor<float> Room(LaneTensor<float>? tensor, int count, ImageShape shape, Padding margin)
    {
        if (tensor is null || tensor.Shape != shape || tensor.Margin != margin)
        {
            tensor?.Free();
            tensor = new(LaneTensor<float>.FullLanes, shape, margin);
        }
        return tensor.Resize(count);
    }

    /// <summary>The images as a tensor of its own, [N, C, H, W] or [N, features].</summary>
    public static Tensor<float> ToTensor(LaneTensor<float> lanes)
    {
        ImageShape shape = lanes.Shape;
        float[] values = GC.AllocateUninitializedArray<float>(checked((int)(lanes.Count * shape.Length)));
        lanes.Unpack(values);
        return shape.IsFlat
            ? Tensor.Create(values, [lanes.Count, shape.Channels])
            : Tensor.Create(values, [lanes.Count, shape.Channels, shape.Height, shape.Width]);
    }

    readonly struct ForwardWork(Layer layer, LaneTensor<float> x, LaneTensor<float> y, Pass<float> pass) : ILaneWork
    {
        public void Run<V>() where V : struct, ILanes<V, float> => layer.Forward<float, V>(x, y, pass);
    }

    readonly struct BackwardWork(
        Layer layer, LaneTensor<float> x, LaneTensor<float> y, LaneTensor<float> dy, LaneTensor<float>? dx, Pass<float> pass) : ILaneWork
    {
        public void Run<V>() where V : struct, ILanes<V, float> => layer.Backward<float, V>(x, y, dy, dx, pass);
    }
}

using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>
/// Runs a layer for the callers of the public API: converts tensors to lane tensors and back, checks the calls, and keeps the state from one call to the
/// next.
/// </summary>
sealed class LayerSession(Layer layer) : IDisposable
{
    LayerContext<float>? few, many, ready;                              // few, many: a small batch does not release the memory of large batches
    int running;

    /// <summary>The random seed.</summary>
    public int Seed { get; private set; }

    /// <summary>Number of training passes since the weights were initialized.</summary>
    public int Step { get; private set; }

    /// <summary>Continues with the seed and step of another session.</summary>
    public void Resume(int seed, int step) => (Seed, Step) = (seed, step);

    /// <summary>Locks out other threads until <see cref="Dispose"/>, which only releases this lock. The session can be entered again.</summary>
    public LayerSession Enter()
    {
        if (Interlocked.Exchange(ref running, 1) != 0)
            throw new InvalidOperationException($"{layer.Description} is running on another thread; a layer runs one call at a time");
        return this;
    }

    public void Dispose() => Volatile.Write(ref running, 0);

    /// <summary>Discards the last Forward, so that Backward needs a new one.</summary>
    public void Discard() => ready = null;

    public Tensor<float> Forward(
        Tensor<float> x, bool training, Tensor<float>? destination, bool differentiable = false, ConvolutionAlgorithm? algorithm = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        using LayerSession entered = Enter();
        Discard();
        ImageShape shape = ShapeOf(x), output = layer.OutputShape(shape);
        int count = (int)x.Lengths[0], lanes = LaneTensor<float>.LanesFor(count);
        CheckDestination(destination, count, output);
        LayerContext<float> context = lanes == 1 ? few ??= new() : many ??= new();
        LaneTensor<float> from = context.X.Take(lanes, count, shape, layer.InputMargin(shape)), to = context.Y.Take(lanes, count, output);
        from.Pack(x.AsSpan());
        (context.Training, context.Differentiable) = (training, differentiable);
        (context.Seed, context.Step, context.Algorithm) = (Seed, Step, algorithm ?? layer.ConvolutionAlgorithm);
        layer.Forward(from, to, context);
        Step += training ? 1 : 0;
        for (int i = 0; training && i < layer.Parameters.Count; i++)
            layer.Parameters[i].Keep();                             // trained values depend on them: they must not be drawn again
        ready = context.Differentiable ? context : null;
        return ToTensor(to, destination);
    }

    public Tensor<float>? Backward(Tensor<float> dy, bool wantsInput, Tensor<float>? destination)
    {
        ArgumentNullException.ThrowIfNull(dy);
        using LayerSession entered = Enter();
        if (ready is not { } context)
        {
            throw new InvalidOperationException(
                $"{layer.Description}: Backward needs a Forward with training: true or differentiable: true before it, and each Forward "
                + "serves only one Backward");
        }
        (LaneTensor<float> x, LaneTensor<float> y) = (context.X.Kept, context.Y.Kept);
        if (ShapeOf(dy) != y.Shape || dy.Lengths[0] != y.Count)
        {
            throw new ArgumentException(
                $"{layer.Description}: dy must have the shape of y, {y.Count} × {y.Shape}, not [{string.Join(", ", dy.Lengths.ToArray())}]");
        }
        CheckDestination(destination, x.Count, x.Shape);
        Discard();
        LaneTensor<float> gradient = context.Dy.Take(y, y.Shape);
        LaneTensor<float>? dx = wantsInput ? context.Dx.Take(x, x.Shape) : null;
        gradient.Pack(dy.AsSpan());
        layer.Backward(x, y, gradient, dx, context);
        return dx is null ? null : ToTensor(dx, destination);
    }

    ImageShape ShapeOf(Tensor<float> tensor)
    {
        ReadOnlySpan<nint> n = tensor.Lengths;
        if (n.Length is not (2 or 4))
            throw new ArgumentException($"{layer.Description}: expected a tensor [N, C, H, W] or [N, features], not a tensor with {n.Length} axes");
        if (n[1..].ContainsAnyInRange(nint.MinValue, 0))
            throw new ArgumentException($"{layer.Description}: every size except the batch size must be at least 1, not [{string.Join(", ", n.ToArray())}]");
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
            $"{layer.Description}: the destination must be a dense tensor [{string.Join(", ", Lengths(count, shape))}]"
            + $", not [{string.Join(", ", destination.Lengths.ToArray())}]");
    }

    /// <summary>The lengths of a batch: [N, C, H, W] or [N, features].</summary>
    public static nint[] Lengths(int count, ImageShape shape) =>
        shape.IsFlat ? [count, shape.Channels] : [count, shape.Channels, shape.Height, shape.Width];

    /// <summary>Returns the images as [N, C, H, W] or [N, features], in the destination or in a new tensor.</summary>
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
}

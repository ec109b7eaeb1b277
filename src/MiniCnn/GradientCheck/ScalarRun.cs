using System.Numerics;

namespace MiniCnn;

/// <summary>
/// A layer as a function of a batch, in one lane, or in full vectors if the layer uses Winograd. It runs in double if <see cref="Layer.RunsInDouble"/>,
/// otherwise in float.
/// </summary>
sealed class ScalarRun<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    readonly Layer layer;
    readonly LayerContext<T> context;
    readonly LaneTensor<T> x, y, dy, dx;

    public ScalarRun(Layer layer, int count, ImageShape input, bool training = true, int seed = 0)
    {
        Output = layer.OutputShape(input);
        (this.layer, context) = (layer, new() { Training = training, Differentiable = true, Seed = seed, Algorithm = layer.ConvolutionAlgorithm });
        int lanes = layer.ConvolutionAlgorithm == ConvolutionAlgorithm.Winograd ? LaneTensor<T>.FullLanes : 1;
        x = new LaneTensor<T>(lanes, input, layer.InputMargin(input)).Resize(count);
        dx = new LaneTensor<T>(lanes, input).Resize(count);
        y = new LaneTensor<T>(lanes, Output).Resize(count);
        dy = new LaneTensor<T>(lanes, Output).Resize(count);
    }

    public ImageShape Output { get; }

    public void Forward(ReadOnlySpan<T> from, Span<T> to)
    {
        x.Pack(from);
        layer.Forward(x, y, context);
        y.Unpack(to);
    }

    public T[] Forward(ReadOnlySpan<T> from)
    {
        T[] to = new T[y.Count * y.Shape.Length];
        Array.Fill(to, T.NaN);                                   // elements that are never written stay NaN
        y.Pack(to);
        Forward(from, to);
        return to;
    }

    /// <summary>Returns ∂f/∂x for the last Forward, and adds to the gradients of the parameters.</summary>
    public T[] Backward(ReadOnlySpan<T> gradient)
    {
        T[] to = new T[dx.Count * dx.Shape.Length];
        Array.Fill(to, T.NaN);
        dx.Pack(to);
        dy.Pack(gradient);
        layer.Backward(x, y, dy, dx, context);
        dx.Unpack(to);
        return to;
    }
}

using System.Numerics.Tensors;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// A layer of your own, on whole NCHW batches: give its output shape, its formula and its gradient, and it fits anywhere in a model.
/// <see cref="GradientCheck"/> tells whether the gradient belongs to the formula.
/// </summary>
public abstract class CustomLayer : Layer
{
    readonly List<Parameter> parameters = [];

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => parameters;

    /// <summary>Makes a parameter of zeros; call it in the constructor and fill its Value.</summary>
    /// <param name="name">Its name in this layer, such as “weight”.</param>
    /// <param name="shape">Its shape, one axis at least.</param>
    /// <exception cref="ArgumentException">The name is taken, or there is no shape.</exception>
    protected Parameter AddParameter(string name, params ReadOnlySpan<nint> shape)
    {
        if (string.IsNullOrEmpty(name) || parameters.Any(p => p.ShortName == name))
            Refuse($"a parameter needs a name of its own, not '{name}'");
        if (shape.IsEmpty)
            Refuse($"parameter '{name}' needs a shape, [1] for a single number");
        parameters.Add(new(this, name, shape));
        return parameters[^1];
    }

    /// <summary>y = f(x). Keep what the gradient will need, in evaluation too: a backward pass may follow there. Do not change x.</summary>
    /// <param name="x">[N, C, H, W], or [N, features].</param>
    /// <param name="training">Whether this is training, and the layer is not held in evaluation.</param>
    /// <returns>y, [N, <see cref="Layer.OutputShape"/>].</returns>
    protected abstract Tensor<float> ForwardCore(Tensor<float> x, bool training);

    /// <summary>
    /// ∂loss/∂x for the batch of the last ForwardCore; called where that or a gradient of the layer's parameters is wanted. Add to the gradients of those parameters that are Trainable; do not change dy.
    /// </summary>
    /// <param name="dy">∂loss/∂y, of y's shape.</param>
    /// <returns>dx, of x's shape.</returns>
    protected abstract Tensor<float> BackwardCore(Tensor<float> dy);

    internal sealed override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => null;

    internal sealed override bool RunsInDouble => false;

    internal sealed override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) =>
        Take(ForwardCore(LayerSession.ToTensor(Floats(x)), Trains(context)), Floats(y), "ForwardCore", "y");

    internal sealed override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        Tensor<float> gradient = BackwardCore(LayerSession.ToTensor(Floats(dy)));
        if (dx is not null)
            Take(gradient, Floats(dx), "BackwardCore", "dx");
    }

    void Take(Tensor<float> result, LaneTensor<float> to, string method, string name)
    {
        (int count, ImageShape shape) = (to.Count, to.Shape);
        ReadOnlySpan<nint> expected = LayerSession.Lengths(count, shape);
        if (result is null || !result.Lengths.SequenceEqual(expected))
        {
            string got = result is null ? "null" : $"[{string.Join(", ", result.Lengths.ToArray())}]";
            Refuse($"{method} must return {name} of shape [{string.Join(", ", expected.ToArray())}], not {got}");
        }
        to.Pack(result.AsSpan());
    }

    // RunsInDouble is false: nobody runs it in double.
    static LaneTensor<float> Floats<T>(LaneTensor<T> tensor) where T : unmanaged => (LaneTensor<float>)(object)tensor;
}

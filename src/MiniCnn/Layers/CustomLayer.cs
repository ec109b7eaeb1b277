using System.Numerics.Tensors;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// Base class of user-defined layers, which run on whole NCHW batches. Override the output shape, the forward formula and its gradient.
/// A custom layer can be used anywhere in a model. <see cref="GradientCheck"/> checks its gradient.
/// </summary>
public abstract class CustomLayer : Layer
{
    readonly List<Parameter> parameters = [];

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => parameters;

    /// <summary>Adds a parameter filled with zeros. Call it in the constructor, then fill <see cref="Parameter.Value"/>.</summary>
    /// <param name="name">Name of the parameter, unique in this layer, such as “weight”.</param>
    /// <param name="shape">Shape of the parameter, with at least one axis.</param>
    /// <exception cref="ArgumentException">The name is empty or already used, or the shape has no axes or no elements.</exception>
    protected Parameter AddParameter(string name, params ReadOnlySpan<nint> shape)
    {
        if (string.IsNullOrEmpty(name) || parameters.Any(p => p.ShortName == name))
            Refuse($"a parameter needs a name that no other parameter of the layer has, not '{name}'");
        if (shape.IsEmpty)
            Refuse($"parameter '{name}' needs a shape, such as [1] for a single number");
        parameters.Add(new(this, name, shape));
        return parameters[^1];
    }

    /// <summary>
    /// Computes y = f(x). Store everything that <see cref="BackwardCore"/> needs, in evaluation too: a backward pass may also follow there. Do not change x.
    /// </summary>
    /// <param name="x">[N, C, H, W], or [N, features].</param>
    /// <param name="training">Whether this is a training pass. False if <see cref="Layer.HoldInEvaluation"/> is set.</param>
    /// <returns>y, [N, <see cref="Layer.OutputShape"/>].</returns>
    protected abstract Tensor<float> ForwardCore(Tensor<float> x, bool training);

    /// <summary>
    /// Computes ∂loss/∂x for the batch of the last <see cref="ForwardCore"/>, and adds ∂loss/∂parameter to the gradient of each parameter that is
    /// <see cref="Parameter.Trainable"/>. Do not change dy. It is called only if one of these gradients is needed.
    /// </summary>
    /// <param name="dy">∂loss/∂y, with the shape of y.</param>
    /// <returns>∂loss/∂x, with the shape of x.</returns>
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

    // RunsInDouble is false, so T is always float.
    static LaneTensor<float> Floats<T>(LaneTensor<T> tensor) where T : unmanaged => (LaneTensor<float>)(object)tensor;
}

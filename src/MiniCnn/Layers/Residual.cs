using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace MiniCnn;

/// <summary>y = body(x) + shortcut(x), the shortcut being x itself if none is given; dx is the sum of both branches' dx.</summary>
/// <remarks>
/// Both branches must make the same shape of x: a body with a stride or another number of channels needs a shortcut, most often a 1×1 convolution.
/// In a model's file they are “body” and “shortcut”. Source: He et al., Deep Residual Learning for Image Recognition, 2015, equations 1 and 2.
/// </remarks>
public sealed class Residual : Container
{
    /// <summary>Takes the layers in; each can stand in one place of one model only.</summary>
    /// <param name="body">What is learnt beside the shortcut, most often a Sequential.</param>
    /// <param name="shortcut">If not given, the identity.</param>
    /// <exception cref="ArgumentException">No body, or a layer that already has its place.</exception>
    public Residual(Layer body, Layer? shortcut = null)
        : base(shortcut is null ? [("body", body)] : [("body", body), ("shortcut", shortcut)]) => (Body, Shortcut) = (body, shortcut);

    /// <summary>What is learnt beside the shortcut.</summary>
    public Layer Body { get; }

    /// <summary>Null for the identity.</summary>
    public Layer? Shortcut { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        ImageShape learnt = Body.OutputShape(input), passed = Shortcut?.OutputShape(input) ?? input;
        if (learnt != passed)
            RefuseShapes(input, learnt, passed);
        return learnt;
    }

    /// <summary>“Residual(Sequential(5 layers), Conv2d(8→16, 1×1, stride 2))”.</summary>
    public override string ToString() => $"Residual({Body}{(Shortcut is null ? "" : $", {Shortcut}")})";

    internal override Padding InputMargin(ImageShape input) => Body.InputMargin(input).Or(Shortcut?.InputMargin(input) ?? default);

    internal override Padding GradientMargin(ImageShape input) => Body.GradientMargin(input).Or(Shortcut?.GradientMargin(input) ?? default);

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Forward(x, y, context, default(NoCurve<T>));

    /// <summary>As Forward, with a curve after the sum.</summary>
    internal void Forward<T, F>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context, F curve)
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
    {
        (LayerContext<T> ofBody, LayerContext<T> ofShortcut) = (context.Child(0), context.Child(1));
        LaneTensor<T> learnt = ofBody.Y.Take(x, y.Shape), passed = x;              // kept: each layer's backward pass finds its own y
        Body.Forward(x, learnt, ofBody);
        if (Shortcut is not null)
            Shortcut.Forward(x, passed = ofShortcut.Y.Take(x, y.Shape), ofShortcut);
        Elementwise.Add(learnt, passed, y, curve);
    }

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        (LayerContext<T> ofBody, LayerContext<T> ofShortcut) = (context.Child(0), context.Child(1));
        Body.Backward(x, ofBody.Y.Kept, dy, dx, ofBody);
        LaneTensor<T>? passed = dy;
        if (Shortcut is not null)
        {
            passed = dx is null ? null : ofShortcut.Dx.Take(x, x.Shape);
            Shortcut.Backward(x, ofShortcut.Y.Kept, dy, passed, ofShortcut);
        }
        if (dx is not null)
            Elementwise.Add(dx, passed!, dx, default(NoCurve<T>));
    }

    [DoesNotReturn]
    void RefuseShapes(ImageShape input, ImageShape learnt, ImageShape passed)
    {
        string wayOut = input.IsFlat || learnt.IsFlat
            ? $"a shortcut that gives {learnt} too, such as a Linear, makes them equal"
            : $"a shortcut such as Conv2d({input.Channels}→{learnt.Channels}, 1×1) with the stride of the body makes them equal";
        Refuse($"the body, {Body}, makes {learnt} of {input}, but the shortcut, {Shortcut?.ToString() ?? "x itself"}, {passed}; {wayOut}");
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace MiniCnn;

/// <summary>A residual block: y = body(x) + shortcut(x). The default shortcut is the identity. dx is the sum of the gradients of both branches.</summary>
/// <remarks>
/// Both branches must have the same output shape. A body that changes the image size or the number of channels needs a shortcut, usually a 1×1 convolution.
/// In a model file the branches are named “body” and “shortcut”. Source: He et al., Deep Residual Learning for Image Recognition, 2015, equations 1 and 2.
/// </remarks>
public sealed class Residual : Container
{
    /// <summary>Creates a residual block. A layer can be used only once, in one model.</summary>
    /// <param name="body">The residual function, usually a <see cref="Sequential"/>.</param>
    /// <param name="shortcut">The shortcut branch. The default is the identity.</param>
    /// <exception cref="ArgumentException">The body is null, or a layer is already part of a model.</exception>
    public Residual(Layer body, Layer? shortcut = null)
        : base(shortcut is null ? [("body", body)] : [("body", body), ("shortcut", shortcut)]) => (Body, Shortcut) = (body, shortcut);

    /// <summary>The residual function.</summary>
    public Layer Body { get; }

    /// <summary>The shortcut branch; null for the identity.</summary>
    public Layer? Shortcut { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        ImageShape residual = Body.OutputShape(input), passed = Shortcut?.OutputShape(input) ?? input;
        if (residual != passed)
            RefuseShapes(input, residual, passed);
        return residual;
    }

    /// <summary>“Residual(Sequential(5 layers), Conv2d(8→16, 1×1, stride 2))”.</summary>
    public override string ToString() => $"Residual({Body}{(Shortcut is null ? "" : $", {Shortcut}")})";

    internal override Padding InputMargin(ImageShape input) => Body.InputMargin(input).Or(Shortcut?.InputMargin(input) ?? default);

    internal override Padding GradientMargin(ImageShape input) => Body.GradientMargin(input).Or(Shortcut?.GradientMargin(input) ?? default);

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Forward(x, y, context, default(NoCurve<T>));

    /// <summary>Forward fused with an activation of the sum.</summary>
    internal void Forward<T, F>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context, F curve)
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
    {
        (LayerContext<T> ofBody, LayerContext<T> ofShortcut) = (context.Child(0), context.Child(1));
        LaneTensor<T> residual = ofBody.Y.Take(x, y.Shape), passed = x;              // stored in the contexts: each branch's backward pass needs its own y
        Body.Forward(x, residual, ofBody);
        if (Shortcut is not null)
            Shortcut.Forward(x, passed = ofShortcut.Y.Take(x, y.Shape), ofShortcut);
        Elementwise.Add(residual, passed, y, curve);
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
    void RefuseShapes(ImageShape input, ImageShape residual, ImageShape passed)
    {
        string wayOut = input.IsFlat || residual.IsFlat
            ? $"use a shortcut that also outputs {residual}, such as a Linear"
            : $"use a shortcut such as Conv2d({input.Channels}→{residual.Channels}, 1×1) with the stride of the body";
        string shortcut = Shortcut?.ToString() ?? "Identity";
        Refuse($"the body, {Body}, outputs {residual} for an input of {input}, but the shortcut, {shortcut}, outputs {passed}; {wayOut}");
    }
}

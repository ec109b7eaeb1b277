using System.Numerics;

namespace MiniCnn;

/// <summary>A step of a <see cref="Sequential"/>: one layer or, in derived classes, several fused layers.</summary>
class Step(Layer layer, int index)
{
    /// <summary>Index of the layer, or of the first fused layer, in the network.</summary>
    public int Index => index;

    /// <summary>Whether the layer has a trainable parameter.</summary>
    public bool Learns
    {
        get
        {
            for (int i = 0; i < layer.Parameters.Count; i++)
                if (layer.Parameters[i].Trainable)
                    return true;
            return false;
        }
    }

    public virtual ImageShape OutputShape(ImageShape input) => layer.OutputShape(input);

    public Padding InputMargin(ImageShape input) => layer.InputMargin(input);

    public virtual Padding GradientMargin(ImageShape input) => layer.GradientMargin(input);

    public virtual void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) where T : unmanaged, IFloatingPointIeee754<T> =>
        layer.Forward(x, y, context);

    public virtual void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
        where T : unmanaged, IFloatingPointIeee754<T> => layer.Backward(x, y, dy, dx, context);
}

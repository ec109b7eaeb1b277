using System.Numerics;

namespace MiniCnn;

/// <summary>What <see cref="Sequential"/> runs: a layer, or in the classes below this one layers that run as one.</summary>
class Step(Layer layer, int index)
{
    /// <summary>Where the layer, the first of several, stands.</summary>
    public int Index => index;

    /// <summary>Whether a parameter in it is trainable.</summary>
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

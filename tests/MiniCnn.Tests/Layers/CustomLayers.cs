using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>y = scale · x + shift − its mean. The initial scale is 1. If hidden is true, dx has a mistake that shows only with another scale.</summary>
sealed class Affine : CustomLayer
{
    readonly bool hidden;
    readonly Parameter shift, scale;
    Tensor<float>? x;

    public Affine(bool hidden = false)
    {
        (this.hidden, shift, scale) = (hidden, AddParameter("shift", 1), AddParameter("scale", 1));
        scale.Value[0] = 1;
    }

    public override ImageShape OutputShape(ImageShape input) => input;

    protected override Tensor<float> ForwardCore(Tensor<float> x, bool training)
    {
        this.x = x;
        return Centred(x * scale.Value[0] + shift.Value[0]);
    }

    protected override Tensor<float> BackwardCore(Tensor<float> dy)
    {
        Tensor<float> dz = Centred(dy);
        shift.Gradient[0] += Tensor.Sum<float>(dz);
        scale.Gradient[0] += Tensor.Sum<float>(dz * x!);
        return dz * (hidden ? 1 : scale.Value[0]);
    }

    static Tensor<float> Centred(Tensor<float> z) => z - Tensor.Average<float>(z);
}

/// <summary>y = x. Keeps the x of the first forward pass.</summary>
sealed class Probe : CustomLayer
{
    public float[] First { get; private set; } = [];

    public override ImageShape OutputShape(ImageShape input) => input;

    protected override Tensor<float> ForwardCore(Tensor<float> x, bool training)
    {
        First = First is [] ? x.AsSpan().ToArray() : First;
        return x;
    }

    protected override Tensor<float> BackwardCore(Tensor<float> dy) => dy;
}

/// <summary>y = x · sigmoid(x).</summary>
sealed class Swish : CustomLayer
{
    Tensor<float>? x;

    public override ImageShape OutputShape(ImageShape input) => input;

    protected override Tensor<float> ForwardCore(Tensor<float> x, bool training)
    {
        this.x = x;
        return x * Tensor.Sigmoid<float>(x);
    }

    protected override Tensor<float> BackwardCore(Tensor<float> dy)
    {
        Tensor<float> s = Tensor.Sigmoid<float>(x!);
        return dy * (s + x! * s * (1f - s));
    }
}

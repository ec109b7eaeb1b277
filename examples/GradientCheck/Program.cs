// A layer of your own: write its formula and its gradient, and let GradientCheck compare the two.
using System.Numerics.Tensors;
using System.Text;
using MiniCnn;

Console.OutputEncoding = Encoding.UTF8;

int[] inputShape = [3, 2, 5, 4];                                 // [N, C, H, W]: unequal sizes and a batch of 3 show the most

Console.WriteLine("A layer whose gradient is right:\n");
GradientReport right = GradientCheck.Run(new Sequential(new ScaledSwish(), new Conv2d(2, 3, kernelSize: (3, 2))), inputShape);
Console.WriteLine(right);

Console.WriteLine("\nThe same with one sign turned in ∂y/∂scale:\n");
GradientReport wrong = GradientCheck.Run(new Sequential(new ScaledSwish(sign: -1), new Conv2d(2, 3, kernelSize: (3, 2))), inputShape);
Console.WriteLine(wrong);

return right.Passed && wrong.Findings is ["0.scale: analytic = −1 × numeric everywhere: the sign is turned"] ? 0 : 1;

/// <summary>y = scale · x · σ(x), one learned scale for all. In a test of your own: GradientCheck.Verify(new ScaledSwish(), [3, 2, 5, 4]).</summary>
sealed class ScaledSwish : CustomLayer
{
    readonly float sign;
    readonly Parameter scale;
    Tensor<float> x = Tensor.Create<float>([]);

    public ScaledSwish(float sign = 1)
    {
        (this.sign, scale) = (sign, AddParameter("scale", 1));
        scale.Value[0] = 1;
    }

    public override ImageShape OutputShape(ImageShape input) => input;

    protected override Tensor<float> ForwardCore(Tensor<float> x, bool training)
    {
        this.x = x;
        return scale.Value[0] * (x * Tensor.Sigmoid<float>(x));
    }

    protected override Tensor<float> BackwardCore(Tensor<float> dy)
    {
        Tensor<float> s = Tensor.Sigmoid<float>(x);
        scale.Gradient[0] += sign * Tensor.Sum<float>(dy * (x * s));        // ∂y/∂scale = x·σ
        return scale.Value[0] * (dy * (s + x * s * (1f - s)));              // ∂y/∂x = scale·(σ + x·σ·(1 − σ))
    }
}

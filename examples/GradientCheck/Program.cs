// Checks the gradient of a layer of your own: once with the correct formula, once with a wrong sign.
using System.CommandLine;
using System.Numerics.Tensors;
using MiniCnn;
using MiniCnn.Examples;

RootCommand command = new("Checks the gradient of a custom layer, once with the correct formula and once with a wrong sign.");
command.SetAction(_ => Run());
return CommandLine.Run(command, args);

static int Run()
{
    int[] inputShape = [3, 2, 5, 4];                                 // [N, C, H, W]: unequal sizes reveal mixed-up axes

    Console.WriteLine("A layer with the correct gradient:\n");
    GradientReport correct = GradientCheck.Run(new Sequential(new ScaledSwish(), new Conv2d(2, 3, kernelSize: (3, 2))), inputShape);
    Console.WriteLine(correct);

    Console.WriteLine("\nThe same layer with a wrong sign in ∂y/∂scale:\n");
    GradientReport wrong = GradientCheck.Run(new Sequential(new ScaledSwish(sign: -1), new Conv2d(2, 3, kernelSize: (3, 2))), inputShape);
    Console.WriteLine(wrong);

    return correct.Passed && wrong.Findings is [string finding] && finding.StartsWith("0.scale: analytic = −1 × numeric", StringComparison.Ordinal) ? 0 : 1;
}

/// <summary>y = scale · x · σ(x), with one learned scale. In a test, use GradientCheck.Verify(new ScaledSwish(), [3, 2, 5, 4]).</summary>
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

using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>A 3×2 convolution with padding 1 as a custom layer. The function spoil receives dx, dw and db and can damage them.</summary>
sealed class PlainConv : CustomLayer
{
    readonly int inputs, outputs;
    readonly Action<float[], float[], float[]>? spoil;
    readonly bool overwrites;
    readonly Func<float[], float[]>? turnForInput;
    readonly Parameter weight, bias;
    Tensor<float> x = null!;

    public PlainConv(
        int inputs, int outputs, Action<float[], float[], float[]>? spoil = null, bool overwrites = false, Func<float[], float[]>? turnForInput = null)
    {
        (this.inputs, this.outputs, this.spoil, this.overwrites, this.turnForInput) = (inputs, outputs, spoil, overwrites, turnForInput);
        (weight, bias) = (AddParameter("weight", outputs, inputs, 3, 2), AddParameter("bias", outputs));
        new Random(3).Reals(6 * inputs * outputs).CopyTo(weight.ValueAs<float>());
    }

    public override ImageShape OutputShape(ImageShape input) => new(outputs, input.Height, input.Width + 1);

    protected override Tensor<float> ForwardCore(Tensor<float> x, bool training)
    {
        this.x = x;
        Tensor<float> y = Tensor.CreateFromShape<float>([x.Lengths[0], outputs, x.Lengths[2], x.Lengths[3] + 1]);
        Conv2dReference.Forward<float>(Geometry(), x.AsSpan(), weight.Value.AsSpan(), bias.Value.AsSpan(), y.AsSpan());
        return y;
    }

    protected override Tensor<float> BackwardCore(Tensor<float> dy)
    {
        float[] dx = new float[x.FlattenedLength], dw = new float[weight.Value.FlattenedLength], db = new float[outputs], w = [.. weight.Value.AsSpan()];
        Conv2dReference.BackwardInput<float>(Geometry(), dy.AsSpan(), turnForInput?.Invoke(w) ?? w, dx);
        Conv2dReference.BackwardWeight<float>(Geometry(), x.AsSpan(), dy.AsSpan(), dw);
        Conv2dReference.BackwardBias<float>(Geometry(), dy.AsSpan(), db);
        spoil?.Invoke(dx, dw, db);
        Add(dw, weight);
        Add(db, bias);
        return Tensor.Create(dx, x.Lengths);

        void Add(float[] gradient, Parameter to)
        {
            for (int i = 0; i < gradient.Length; i++)
                to.GradientAs<float>()[i] = gradient[i] + (overwrites ? 0 : to.GradientAs<float>()[i]);
        }
    }

    Conv2dShape Geometry() => new((int)x.Lengths[0], inputs, (int)x.Lengths[2], (int)x.Lengths[3], outputs, new((3, 2), 1, (Padding)1));
}

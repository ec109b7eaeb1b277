using System.Numerics.Tensors;

namespace MiniCnn.Parity;

/// <summary>A convolution and its gradients by the <see cref="Conv2d"/> layer, as a model runs it.</summary>
public static class LayerConv2d
{
    /// <summary>Makes a layer with the inputs' weights, and runs it forward and backward.</summary>
    public static Conv2dResults<float> Run(Conv2dShape shape, Conv2dInputs<float> inputs)
    {
        (Conv2dShape? s, Window2d? window, bool hasBias) = (shape, shape.Window, inputs.Bias.Length > 0);
        Conv2d layer = new(
            s.InputChannels, s.OutputChannels, window.KernelSize, window.Stride, window.Padding, window.Dilation, s.Groups, hasBias,
            window.PaddingMode);
        Tensor.Create(inputs.Weight, layer.Weight.Value.Lengths).CopyTo(layer.Weight.Value);
        if (hasBias)
            Tensor.Create(inputs.Bias, layer.Bias!.Value.Lengths).CopyTo(layer.Bias.Value);

        Tensor<float> y = layer.Forward(Tensor.Create(inputs.X, [s.Batch, s.InputChannels, s.Rows.Input, s.Columns.Input]), training: true);
        Tensor<float> dx = layer.BackwardToInput(Tensor.Create(inputs.Dy, [s.Batch, s.OutputChannels, s.OutputHeight, s.OutputWidth]));
        return new(Numbers(y), Numbers(dx), Numbers(layer.Weight.Gradient), hasBias ? Numbers(layer.Bias!.Gradient) : []);
    }

    static float[] Numbers(Tensor<float> tensor)
    {
        float[] numbers = new float[tensor.FlattenedLength];
        tensor.FlattenTo(numbers);
        return numbers;
    }
}

using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MiniCnn.Parity;

/// <summary>A convolution and its gradients by the TorchSharp that this was compiled with.</summary>
public static class TorchSharpConv2d
{
    /// <summary>“TorchSharp 0.106.0 on libtorch 2.10.0.0”: its own version, and that of the libtorch it says it was built for.</summary>
    public static string Version => $"TorchSharp {typeof(torch).Assembly.GetName().Version!.ToString(3)} on libtorch {__version__}";

    /// <summary>How many threads TorchSharp computes with.</summary>
    public static int Threads => get_num_threads();

    /// <summary>What torch.nn.functional.conv2d and autograd.grad make of the inputs.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    public static Conv2dResults<T> Run<T>(Conv2dShape shape, Conv2dInputs<T> inputs) where T : unmanaged, INumber<T>
    {
        using DisposeScope scope = NewDisposeScope();
        Conv2dShape s = shape;
        Tensor x = TensorOf(inputs.X, s.Batch, s.InputChannels, s.Rows.Input, s.Columns.Input);
        Tensor w = TensorOf(inputs.Weight, s.OutputChannels, s.GroupInputChannels, s.Rows.Kernel, s.Columns.Kernel);
        Tensor? b = inputs.Bias.Length == 0 ? null : TensorOf(inputs.Bias, s.OutputChannels);
        Tensor dy = TensorOf(inputs.Dy, s.Batch, s.OutputChannels, s.OutputHeight, s.OutputWidth);
        Tensor y = Forward(s, x, w, b);
        IList<Tensor> gradients = Backward(y, dy, x, w, b);
        return new(ArrayOf<T>(y), ArrayOf<T>(gradients[0]), ArrayOf<T>(gradients[1]), b is null ? [] : ArrayOf<T>(gradients[2]));
    }

    internal static Tensor Forward(Conv2dShape s, Tensor x, Tensor w, Tensor? b)
    {
        (Window2d? window, Padding p) = (s.Window, s.Window.Padding);
        long[] stride = [window.Stride.Height, window.Stride.Width], dilation = [window.Dilation.Height, window.Dilation.Width];
        if (window.PaddingMode == PaddingMode.Zeros && p.Top == p.Bottom && p.Left == p.Right)
            return F.conv2d(x, w, b, stride, [p.Top, p.Left], dilation, s.Groups);

        PaddingModes mode = window.PaddingMode switch
        {
            PaddingMode.Reflect => PaddingModes.Reflect,
            PaddingMode.Replicate => PaddingModes.Replicate,
            PaddingMode.Circular => PaddingModes.Circular,
            _ => PaddingModes.Constant,
        };
        long[] lastAxisFirst = [p.Left, p.Right, p.Top, p.Bottom];
        return F.conv2d(F.pad(x, lastAxisFirst, mode, 0), w, b, stride, [0, 0], dilation, s.Groups);
    }

    /// <summary>The gradients of ⟨y, dy⟩ with respect to x, w and, where there is one, b.</summary>
    internal static IList<Tensor> Backward(Tensor y, Tensor dy, Tensor x, Tensor w, Tensor? b) =>
        autograd.grad([y], b is null ? [x, w] : [x, w, b], [dy]);

    static Tensor TensorOf<T>(T[] numbers, params long[] shape) => numbers is double[] d
        ? tensor(d, shape, requires_grad: true)
        : tensor((float[])(object)numbers, shape, requires_grad: true);

    static T[] ArrayOf<T>(Tensor t) where T : unmanaged => t.detach().contiguous().data<T>().ToArray();
}

using System.Text.Json;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using PaddingModes = TorchSharp.PaddingModes;

namespace MiniCnn.Interop;

/// <summary>Each layer's TorchSharp module, with first weights of its own: TorchSharp's where it has one that says the same, else one of ours.</summary>
static class TorchModules
{
    /// <exception cref="InvalidOperationException">A layer of the user's own.</exception>
    public static nn.Module<Tensor, Tensor> Of(Layer layer)
    {
        nn.Module<Tensor, Tensor> module = InTraining(layer);
        if (layer.HoldInEvaluation)
            module.eval();
        return module;
    }

    static nn.Module<Tensor, Tensor> InTraining(Layer layer)
    {
        switch (layer)
        {
            case CustomLayer:
                throw new InvalidOperationException(
                    $"{layer.Description}: a layer of your own has no TorchSharp module; write the net as an nn.Module of the same names, "
                    + "and CopyFrom brings its weights");
            case Container container:
                (string, nn.Module<Tensor, Tensor>)[] children = [.. container.Children.Select(child => (child.Name, Of(child.Layer)))];
                return layer is Sequential ? nn.Sequential(children) : new Branches(layer.GetType().Name, children, layer is Residual ? Add : Append);
            default:
                // As a model's file has it, and read as such.
                using (JsonDocument json = Architecture.Parse(Architecture.Write(layer)))
                    return Of(layer, new(json.RootElement, layer.Place, new Dictionary<string, SafeTensors.Entry>()));
        }

        Tensor Add(Tensor x, Tensor[] y) => y[0] + (y.Length > 1 ? y[1] : x);
        Tensor Append(Tensor x, Tensor[] y) => cat(y, 1);
    }

    static nn.Module<Tensor, Tensor> Of(Layer layer, LayerArguments a) => layer switch
    {
        Conv2d conv => Convolution(conv, a),
        ConvTranspose2d conv => Convolution(conv, a),
        Linear => nn.Linear(a.Int("inputFeatures"), a.Int("outputFeatures"), a.Bool("bias")),
        BatchNorm2d => nn.BatchNorm2d(a.Int("channels"), a.Double("epsilon"), a.Double("momentum")),
        GroupNorm norm => Normalization(norm, a),
        LayerNorm => nn.LayerNorm([.. a.Ints("shape")], a.Double("epsilon")),
        MaxPool2d => MaxPool(Long(a.Size("kernelSize")), Long(a.Size("stride")), a.Padding("padding"), Long(a.Size("dilation"))),
        AvgPool2d => AvgPool(Long(a.Size("kernelSize")), Long(a.Size("stride")), a.Padding("padding"), a.Bool("countIncludePad")),
        AdaptiveAvgPool2d => nn.AdaptiveAvgPool2d(Long(a.Size("outputSize"))),
        Upsample => a.Value<UpsampleMode>("mode") == UpsampleMode.Nearest
            ? nn.Upsample(scale_factor: Double(a.Size("scaleFactor")))
            : nn.Upsample(scale_factor: Double(a.Size("scaleFactor")), mode: TorchSharp.torch.UpsampleMode.Bilinear, align_corners: false),
        Dropout => nn.Dropout(a.Double("probability")),
        LeakyReLU => nn.LeakyReLU(a.Double("negativeSlope")),
        Flatten => nn.Flatten(),
        Identity => nn.Identity(),
        ReLU => nn.ReLU(),
        GELU => nn.GELU(),
        SiLU => nn.SiLU(),
        Sigmoid => nn.Sigmoid(),
        Tanh => nn.Tanh(),
        Softmax => nn.Softmax(1),
        LogSoftmax => nn.LogSoftmax(1),
        _ => throw new InvalidOperationException($"{layer.Description}: has no TorchSharp module yet"),
    };

    static nn.Module<Tensor, Tensor> Convolution(Conv2d layer, LayerArguments a)
    {
        (Size2d kernel, Size2d stride, Padding padding, Size2d dilation) = (a.Size("kernelSize"), a.Size("stride"), a.Padding("padding"), a.Size("dilation"));
        (int groups, bool bias) = (a.Int("groups"), a.Bool("bias"));
        PaddingModes mode = Enum.Parse<PaddingModes>($"{a.Value<PaddingMode>("paddingMode")}");
        if (IsEven(padding))
        {
            return nn.Conv2d(
                a.Int("inputChannels"), a.Int("outputChannels"), Pair(kernel), Pair(stride), (padding.Top, padding.Left), Pair(dilation), mode, groups, bias);
        }
        return new Formula(layer, (x, weight, b) =>
        {
            using Tensor padded = F.pad(x, Around(padding), mode == PaddingModes.Zeros ? PaddingModes.Constant : mode);
            return F.conv2d(padded, weight!, b, Long(stride), [0, 0], Long(dilation), groups);
        });
    }

    // nn.ConvTranspose2d takes an output padding's first number for both axes.
    static nn.Module<Tensor, Tensor> Convolution(ConvTranspose2d layer, LayerArguments a)
    {
        (Size2d kernel, Size2d stride, Padding padding, Size2d dilation) = (a.Size("kernelSize"), a.Size("stride"), a.Padding("padding"), a.Size("dilation"));
        (Size2d more, int groups, bool bias) = (a.Size("outputPadding"), a.Int("groups"), a.Bool("bias"));
        if (IsEven(padding) && more.Height == more.Width)
        {
            return nn.ConvTranspose2d(
                a.Int("inputChannels"), a.Int("outputChannels"), Pair(kernel), Pair(stride), (padding.Top, padding.Left), Pair(more), Pair(dilation),
                groups: groups, bias: bias);
        }
        return new Formula(layer, (x, weight, b) =>
        {
            using Tensor whole = F.conv_transpose2d(x, weight!, b, Long(stride), [0, 0], Long(more), Long(dilation), groups);
            return F.pad(whole, [.. Around(padding).Select(pixels => -pixels)]);
        });
    }

    // nn.GroupNorm refuses [N, C], which PyTorch's takes.
    static Formula Normalization(GroupNorm layer, LayerArguments a)
    {
        (int groups, double epsilon) = (a.Int("groups"), a.Double("epsilon"));
        return new Formula(layer, (x, weight, bias) => F.group_norm(x, groups, weight, bias, epsilon));
    }

    static nn.Module<Tensor, Tensor> MaxPool(long[] kernel, long[] stride, Padding padding, long[] dilation) => IsEven(padding)
        ? nn.MaxPool2d(kernel, stride, [padding.Top, padding.Left], dilation)
        : new Formula("MaxPool2d", x =>
        {
            using Tensor padded = F.pad(x, Around(padding), PaddingModes.Constant, double.NegativeInfinity);
            return F.max_pool2d(padded, kernel, stride, [0, 0], dilation);
        });

    static nn.Module<Tensor, Tensor> AvgPool(long[] kernel, long[] stride, Padding padding, bool countIncludePad) => IsEven(padding)
        ? nn.AvgPool2d(kernel, stride, [padding.Top, padding.Left], count_include_pad: countIncludePad)
        : new Formula("AvgPool2d", x =>
        {
            using Tensor sum = Sum(x);
            if (countIncludePad)
                return sum / (kernel[0] * kernel[1]);
            using Tensor ones = ones_like(x), count = Sum(ones);
            return sum / count;

            Tensor Sum(Tensor t)
            {
                using Tensor padded = F.pad(t, Around(padding));
                return F.avg_pool2d(padded, kernel, stride, [0, 0], divisor_override: 1);
            }
        });

    static bool IsEven(Padding p) => p.Top == p.Bottom && p.Left == p.Right;

    /// <summary>As F.pad takes it, the last axis first.</summary>
    static long[] Around(Padding p) => [p.Left, p.Right, p.Top, p.Bottom];

    static (long, long) Pair(Size2d size) => (size.Height, size.Width);

    public static long[] Long(Size2d size) => [size.Height, size.Width];

    static double[] Double(Size2d size) => [size.Height, size.Width];
}

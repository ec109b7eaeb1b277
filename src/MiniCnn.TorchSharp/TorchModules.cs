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
                return Leaf(layer);
        }

        Tensor Add(Tensor x, Tensor[] y) => y[0] + (y.Length > 1 ? y[1] : x);
        Tensor Append(Tensor x, Tensor[] y) => cat(y, 1);
    }

    static nn.Module<Tensor, Tensor> Leaf(Layer layer) => layer switch
    {
        Conv2d conv => Convolution(conv),
        ConvTranspose2d conv => Convolution(conv),
        Linear linear => nn.Linear(linear.InputFeatures, linear.OutputFeatures, linear.Bias is not null),
        BatchNorm2d norm => nn.BatchNorm2d(norm.Channels, norm.Epsilon, norm.Momentum),
        GroupNorm norm => Normalization(norm, norm.Groups, norm.Epsilon),
        LayerNorm norm => nn.LayerNorm(Array.ConvertAll(norm.Weight.Value.Lengths.ToArray(), size => (long)size), norm.Epsilon),
        MaxPool2d pool => MaxPool(Long(pool.KernelSize), Long(pool.Stride), pool.Padding, Long(pool.Dilation)),
        AvgPool2d pool => AvgPool(Long(pool.KernelSize), Long(pool.Stride), pool.Padding, pool.CountIncludePad),
        AdaptiveAvgPool2d pool => nn.AdaptiveAvgPool2d(Long(pool.OutputSize)),
        Upsample { Mode: UpsampleMode.Nearest } upsample => nn.Upsample(scale_factor: Double(upsample.ScaleFactor)),
        Upsample upsample =>
            nn.Upsample(scale_factor: Double(upsample.ScaleFactor), mode: TorchSharp.torch.UpsampleMode.Bilinear, align_corners: false),
        Dropout dropout => nn.Dropout(dropout.Probability),
        LeakyReLU relu => nn.LeakyReLU(relu.NegativeSlope),
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

    static nn.Module<Tensor, Tensor> Convolution(Conv2d layer)
    {
        (Size2d kernel, Size2d stride, Padding padding, Size2d dilation) = (layer.KernelSize, layer.Stride, layer.Padding, layer.Dilation);
        (int groups, bool bias, PaddingModes mode) = (layer.Groups, layer.Bias is not null, Enum.Parse<PaddingModes>($"{layer.PaddingMode}"));
        if (IsEven(padding))
        {
            return nn.Conv2d(
                layer.InputChannels, layer.OutputChannels, Pair(kernel), Pair(stride), (padding.Top, padding.Left), Pair(dilation), mode, groups, bias);
        }
        return new Formula(layer, (x, weight, b) =>
        {
            using Tensor padded = F.pad(x, Around(padding), mode == PaddingModes.Zeros ? PaddingModes.Constant : mode);
            return F.conv2d(padded, weight!, b, Long(stride), [0, 0], Long(dilation), groups);
        });
    }

    // nn.ConvTranspose2d takes an output padding's first number for both axes.
    static nn.Module<Tensor, Tensor> Convolution(ConvTranspose2d layer)
    {
        (Size2d kernel, Size2d stride, Padding padding, Size2d dilation) = (layer.KernelSize, layer.Stride, layer.Padding, layer.Dilation);
        (Size2d more, int groups, bool bias) = (layer.OutputPadding, layer.Groups, layer.Bias is not null);
        if (IsEven(padding) && more.Height == more.Width)
        {
            return nn.ConvTranspose2d(
                layer.InputChannels, layer.OutputChannels, Pair(kernel), Pair(stride), (padding.Top, padding.Left), Pair(more), Pair(dilation),
                groups: groups, bias: bias);
        }
        return new Formula(layer, (x, weight, b) =>
        {
            using Tensor whole = F.conv_transpose2d(x, weight!, b, Long(stride), [0, 0], Long(more), Long(dilation), groups);
            return F.pad(whole, [.. Around(padding).Select(pixels => -pixels)]);
        });
    }

    // nn.GroupNorm refuses [N, C], which PyTorch's takes.
    static Formula Normalization(GroupNorm layer, int groups, double epsilon) =>
        new(layer, (x, weight, bias) => F.group_norm(x, groups, weight, bias, epsilon));

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

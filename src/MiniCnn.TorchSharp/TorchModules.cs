using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using PaddingModes = TorchSharp.PaddingModes;

namespace MiniCnn.Interop;

/// <summary>Creates the TorchSharp module of a layer, with new weights. A layer without an equivalent becomes a <see cref="Formula"/>.</summary>
static class TorchModules
{
    /// <exception cref="InvalidOperationException">The layer is or contains a <see cref="CustomLayer"/>.</exception>
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
                    $"{layer.Description}: a custom layer has no TorchSharp module; write the network as an nn.Module with the same names, "
                    + "and copy its weights with CopyFrom");
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
        BatchNorm1d norm => nn.BatchNorm1d(norm.Channels, norm.Epsilon, norm.Momentum),
        BatchNorm2d norm => nn.BatchNorm2d(norm.Channels, norm.Epsilon, norm.Momentum),
        GroupNorm norm => Normalization(norm, norm.Groups, norm.Epsilon),
        LayerNorm norm => nn.LayerNorm(Array.ConvertAll(norm.Weight.Value.Lengths.ToArray(), size => (long)size), norm.Epsilon),
        MaxPool2d pool => MaxPool(pool, Long(pool.KernelSize), Long(pool.Stride), Long(pool.Dilation)),
        AvgPool2d pool => AvgPool(pool, Long(pool.KernelSize), Long(pool.Stride)),
        AdaptiveAvgPool2d pool => nn.AdaptiveAvgPool2d(Long(pool.OutputSize)),
        AdaptiveMaxPool2d pool => nn.AdaptiveMaxPool2d(Long(pool.OutputSize)),
        Pad2d pad => Pad(pad, Around(pad.Padding)),
        Upsample { Mode: UpsampleMode.Nearest } upsample => nn.Upsample(scale_factor: Double(upsample.ScaleFactor)),
        Upsample upsample =>
            nn.Upsample(scale_factor: Double(upsample.ScaleFactor), mode: TorchSharp.torch.UpsampleMode.Bilinear, align_corners: false),
        Dropout dropout => nn.Dropout(dropout.Probability),
        LeakyReLU relu => nn.LeakyReLU(relu.NegativeSlope),
        Flatten => nn.Flatten(),
        Unflatten unflatten => nn.Unflatten(1, [unflatten.Shape.Channels, unflatten.Shape.Height, unflatten.Shape.Width]),
        Identity => nn.Identity(),
        ReLU => nn.ReLU(),
        GELU => nn.GELU(),
        SiLU => nn.SiLU(),
        Sigmoid => nn.Sigmoid(),
        Tanh => nn.Tanh(),
        Softmax => nn.Softmax(1),
        LogSoftmax => nn.LogSoftmax(1),
        _ => throw new InvalidOperationException($"{layer.Description}: this layer has no TorchSharp module"),
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

    // nn.ConvTranspose2d uses the first number of the output padding for both axes.
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

    // TorchSharp's nn.GroupNorm refuses [N, C], which PyTorch accepts.
    static Formula Normalization(GroupNorm layer, int groups, double epsilon) =>
        new(layer, (x, weight, bias) => F.group_norm(x, groups, weight, bias, epsilon));

    static nn.Module<Tensor, Tensor> MaxPool(MaxPool2d pool, long[] kernel, long[] stride, long[] dilation) => IsEven(pool.Padding)
        ? nn.MaxPool2d(kernel, stride, [pool.Padding.Top, pool.Padding.Left], dilation, pool.CeilMode)
        : new Formula("MaxPool2d", x =>
        {
            using Tensor padded = F.pad(x, Around(UnderWindows(pool, x)), PaddingModes.Constant, double.NegativeInfinity);
            return F.max_pool2d(padded, kernel, stride, [0, 0], dilation);
        });

    static nn.Module<Tensor, Tensor> AvgPool(AvgPool2d pool, long[] kernel, long[] stride) => IsEven(pool.Padding)
        ? nn.AvgPool2d(kernel, stride, [pool.Padding.Top, pool.Padding.Left], pool.CeilMode, pool.CountIncludePad)
        : new Formula("AvgPool2d", x =>
        {
            (int top, int left, int bottom, int right) = UnderWindows(pool, x);
            Padding own = pool.Padding, beyond = new(0, 0, bottom - own.Bottom, right - own.Right);
            using Tensor sum = Sum(x, 0), ones = ones_like(x), count = Sum(ones, pool.CountIncludePad ? 1 : 0);
            return sum / count;

            Tensor Sum(Tensor t, double inPadding)
            {
                using Tensor padded = F.pad(t, Around(own), PaddingModes.Constant, inPadding), whole = F.pad(padded, Around(beyond));
                return F.avg_pool2d(whole, kernel, stride, [0, 0], divisor_override: 1);
            }
        });

    /// <summary>Padding with which the windows cover the input exactly. Negative where the stride leaves pixels uncovered.</summary>
    static Padding UnderWindows(WindowLayer pool, Tensor x)
    {
        (int height, int width, Padding own) = ((int)x.shape[2], (int)x.shape[3], pool.Padding);
        ImageShape y = pool.OutputShape(new((int)x.shape[1], height, width));
        return own with { Bottom = End(y.Height, s => s.Height) - own.Top - height, Right = End(y.Width, s => s.Width) - own.Left - width };

        int End(int outputs, Func<Size2d, int> on) => (outputs - 1) * on(pool.Stride) + on(pool.Dilation) * (on(pool.KernelSize) - 1) + 1;
    }

    static nn.Module<Tensor, Tensor> Pad(Pad2d layer, long[] around) => layer.PaddingMode switch
    {
        PaddingMode.Reflect => nn.ReflectionPad2d((around[0], around[1], around[2], around[3])),
        PaddingMode.Replicate => nn.ReplicationPad2d((around[0], around[1], around[2], around[3])),
        PaddingMode.Circular => new Formula(nameof(Pad2d), x => F.pad(x, around, PaddingModes.Circular)),
        _ => nn.ZeroPad2d((around[0], around[1], around[2], around[3])),
    };

    static bool IsEven(Padding p) => p.Top == p.Bottom && p.Left == p.Right;

    /// <summary>Padding in the order of F.pad: the last axis first.</summary>
    static long[] Around(Padding p) => [p.Left, p.Right, p.Top, p.Bottom];

    static (long, long) Pair(Size2d size) => (size.Height, size.Width);

    public static long[] Long(Size2d size) => [size.Height, size.Width];

    static double[] Double(Size2d size) => [size.Height, size.Width];
}

using System.Numerics;

namespace MiniCnn.Cases;

/// <summary>A convolution of the table, computed by the layer and by <see cref="Conv2dReference"/>.</summary>
/// <param name="Geometry">Shapes and window of the convolution.</param>
/// <param name="Bias">Whether it has a bias.</param>
sealed record Conv2dCase(Conv2dShape Geometry, bool Bias) : LayerCase(
    nameof(Conv2d), () => Layer(Geometry, Bias), Geometry.Batch, new(Geometry.InputChannels, Geometry.Rows.Input, Geometry.Columns.Input))
{
    /// <summary>Special property of the convolution, the first if there are several.</summary>
    public string Kind
    {
        get
        {
            (Window2d window, Padding padding) = (Geometry.Window, Geometry.Window.Padding);
            return window.PaddingMode != PaddingMode.Zeros ? $"{window.PaddingMode} padding".ToLowerInvariant()
                : padding.Top != padding.Bottom || padding.Left != padding.Right ? "uneven padding"
                : Geometry.Groups > 1 ? Geometry.Groups == Geometry.InputChannels ? "depthwise" : "groups"
                : window.Dilation != 1 ? "dilation"
                : window.Stride != 1 ? "stride"
                : padding != default ? "padding"
                : "plain";
        }
    }

    public override IEnumerable<(string Subject, bool IsDouble, Numbers Results)> Others(Numbers inputs) =>
    [
        (nameof(Conv2dReference), false, Reference<float>(Geometry, inputs)),
        (nameof(Conv2dReference), true, Reference<double>(Geometry, inputs)),
        // From 16 channels on, Winograd keeps the bound of the direct sum.
        .. Whole == 0 && ConvolutionAlgorithm.Auto.TakesWinograd(Geometry, new LaneTensor<float>(LaneTensor<float>.LanesFor(Batch), new(1, 1, 1)).Resize(Batch))
            ? (IEnumerable<(string, bool, Numbers)>)[($"{nameof(Conv2d)}, {nameof(ConvolutionAlgorithm.Winograd)}", false, Float(inputs, ConvolutionAlgorithm.Auto))] : [],
    ];

    /// <summary>Computes the output and the three gradients by the reference loops.</summary>
    public static Numbers Reference<T>(Conv2dShape shape, Numbers inputs) where T : INumber<T>
    {
        T[] Of(string name) => inputs.TryGetValue(name, out double[]? numbers) ? Array.ConvertAll(numbers, T.CreateChecked) : [];
        (T[] x, T[] w, T[] b, T[] dy) = (Of("x"), Of("weight"), Of("bias"), Of("dy"));
        (T[] y, T[] dx, T[] dw, T[] db) = (new T[dy.Length], new T[x.Length], new T[w.Length], new T[b.Length]);
        Conv2dReference.Forward<T>(shape, x, w, b, y);
        Conv2dReference.BackwardInput<T>(shape, dy, w, dx);
        Conv2dReference.BackwardWeight<T>(shape, x, dy, dw);
        Numbers results = [];
        Add("y", y);
        Add("dx", dx);
        Add("dweight", dw);
        if (b.Length > 0)
        {
            Conv2dReference.BackwardBias<T>(shape, dy, db);
            Add("dbias", db);
        }
        return results;

        void Add(string name, T[] numbers) => results.Add(name, Array.ConvertAll(numbers, double.CreateChecked));
    }

    static Conv2d Layer(Conv2dShape s, bool bias)
    {
        Window2d window = s.Window;
        return new(s.InputChannels, s.OutputChannels, window.KernelSize, window.Stride, window.Padding, window.Dilation, s.Groups, bias, window.PaddingMode);
    }
}

using System.Numerics.Tensors;
using System.Xml.Linq;
using MathNet.Numerics.LinearAlgebra;
using MiniCnn.Imaging;
using static MiniCnn.Examples.StepByStep.Windows;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>4. A convolution is a matrix product, and a layer.</summary>
static class MatrixProduct
{
    /// <summary>Column j of M is the output of the layer for an image that is 1 at pixel j and 0 elsewhere.</summary>
    public static float[,] M()
    {
        float[][,] columns = [.. Enumerable.Range(0, 25).Select(j => Values.Convolve(Values.Fill(5, 5, (r, c) => 5 * r + c == j ? 1 : 0), K))];
        return Values.Fill(9, 25, (i, j) => columns[j][i / 3, i % 3]);
    }

    public static Figure Drawn()
    {
        float[,] y = Values.Convolve(X, K);
        Vector<float> product = Matrix<float>.Build.DenseOfArray(M()) * Vector<float>.Build.Dense(X.List());
        return new(
            "The matrix M",
            "Write the 25 pixels as a column. Then the convolution is y = M·x with a matrix of 9 rows, one for each output, and 25 columns, one "
            + "for each pixel. A row holds the nine weights at the pixels of its window and is 0 elsewhere. The next row is the same row, shifted. "
            + "A Linear layer would have 225 independent weights. A convolution has nine, each used nine times.",
            Draw.Row(Draw.Kernel("M, 9×25", M(), "0", fine: true)),
            Draw.Row(
                Draw.Numbers("M·x", Values.Fill(3, 3, (r, c) => product[3 * r + c])), Draw.Sign("="), Draw.Numbers("Y by the layer", y)));
    }

    /// <summary>y = x ⋆ k by the definition.</summary>
    public static float[,] FourLoops(float[,] x, float[,] k)
    {
        float[,] y = new float[x.GetLength(0) - k.GetLength(0) + 1, x.GetLength(1) - k.GetLength(1) + 1];
        for (int oy = 0; oy < y.GetLength(0); oy++)
            for (int ox = 0; ox < y.GetLength(1); ox++)
                for (int ky = 0; ky < k.GetLength(0); ky++)
                    for (int kx = 0; kx < k.GetLength(1); kx++)
                        y[oy, ox] += k[ky, kx] * x[oy + ky, ox + kx];
        return y;
    }

    public static Figure Loop() => new(
        "The loops that compute the same",
        "No library multiplies by M, because most of it is zeros. Four loops iterate over the outputs and the weights. Conv2dReference.cs has "
        + "the same loops for batches, channels, strides and groups. Read this file first.",
        H("pre", A("tabindex", 0), PageStep.SourceOf("MatrixProduct.FourLoops")),
        Draw.Row(
            Draw.Numbers("Y by four loops", FourLoops(X, K)), Draw.Sign("="), Draw.Numbers("Y by the layer", Values.Convolve(X, K))));

    /// <summary>The transposed matrix computes the gradient of the input.</summary>
    public static Figure Transposed()
    {
        float[,] dy = Backward.Dy;
        Vector<float> product = Matrix<float>.Build.DenseOfArray(M()).TransposeThisAndMultiply(Vector<float>.Build.Dense(dy.List()));
        Conv2d layer = Values.Layer(K);
        layer.Forward(X.ToTensor(), training: true);
        float[,] dx = Values.Of(layer.BackwardToInput(dy.ToTensor()));
        return new(
            "The backward pass: dx = Mᵀ·dy",
            "Training needs the gradient of the loss by each pixel, dx, computed from the gradient by each output, dy. For a matrix product it "
            + "is the transposed matrix times dy. The backward pass of the layer gives the same result without a matrix. The next part shows how.",
            Draw.Row(
                Draw.Kernel("dy", dy), Draw.Sign("→"), Draw.Kernel("Mᵀ·dy", Values.Fill(5, 5, (r, c) => product[5 * r + c])),
                Draw.Sign("="), Draw.Kernel("dx by the layer", dx)));
    }

    /// <summary>Three input channels, two output channels: a kernel for each pair, summed over the input channels.</summary>
    public static Figure SeveralChannels()
    {
        Conv2d layer = new(3, 2, kernelSize: 3);
        float[] weights = [.. Enumerable.Range(0, 54).Select(i => (float)(i * 7 % 5 - 2))];     // [2, 3, 3, 3], from −2 to 2
        weights.CopyTo(layer.Weight.Value.GetSpan([0, 0, 0, 0], 54));
        (layer.Bias!.Value[0], layer.Bias.Value[1]) = (1, -2);
        Tensor<float> x = Tensor.Create([.. Enumerable.Range(0, 60).Select(i => (float)(i * 3 % 7))], [1, 3, 4, 5]), y = layer.Forward(x);
        float[,] Kernel(int o, int i) => Values.Fill(3, 3, (r, c) => layer.Weight.Value[o, i, r, c]);
        return new(
            "Several input and output channels",
            "A layer with 3 input channels and 2 output channels has six kernels. Each output channel convolves each input channel with its own "
            + "kernel, and adds the three results and a bias. So a Conv2d mixes the channels: its outputs are no longer red, green and blue. The "
            + "marked sums are equal to the outputs of the layer.",
            Draw.Row([.. Enumerable.Range(0, 3).Select(i => Draw.Numbers($"x{i}, channel {i}", Values.Of(x, i)))]),
            H("div", Enumerable.Range(0, 2).Select(o =>
            {
                float[][,] parts = [.. Enumerable.Range(0, 3).Select(i => Values.Convolve(Values.Of(x, i), Kernel(o, i)))];
                float[,] sum = parts[0].Plus(parts[1]).Plus(parts[2]).Map(v => v + layer.Bias.Value[o]);
                XElement[] Part(int i) =>
                    [Draw.Kernel($"w[{o}, {i}]", Kernel(o, i), fine: true), Draw.Sign("→"), Draw.Kernel($"x{i} ⋆ w", parts[i], fine: true), Draw.Sign("+")];
                return Draw.Row(Part(0), Part(1), Part(2), Draw.Sign($"{Values.N(layer.Bias.Value[o])} ="),
                    Draw.Kernel($"y, channel {o}", sum, mark: (r, c) => sum[r, c] == y[0, o, r, c] ? "window" : null));
            })));
    }

    /// <summary>The parameters that training changes.</summary>
    public static Figure Parameters() => new(
        "Two trainable parameters",
        "The weight, which holds all kernels, and the bias, one number for each output channel. Their shapes do not depend on the image: the "
        + "same nine weights and one bias work for 5×5 pixels and for 459×612.",
        Table("Parameters of convolutions", ["layer", "weight", "numbers", "bias", "numbers"],
            new Conv2d[] { new(1, 1, 3), new(3, 2, 3), new(1, 8, 5), new(16, 32, 3) }.Select(layer => (string[])[
                $"Conv2d({layer.InputChannels}, {layer.OutputChannels}, {layer.KernelSize.Height})",
                $"[{string.Join(", ", layer.Weight.Value.Lengths.ToArray())}]",
                $"{layer.Weight.Value.FlattenedLength}", $"[{layer.OutputChannels}]", $"{layer.Bias!.Value.FlattenedLength}"])));

    /// <summary>The same kernel as a filter, in a layer, and in TorchSharp, which was recorded.</summary>
    public static Figure SameImage()
    {
        (float[,] x, float[,] recorded) = Recorded();
        float[,] layer = Values.Convolve(x, Values.Of(ImageFilters.Sharpen));
        Picture filter = ImageFilters.Sharpen.Apply(x.Clip(), Padding.Valid);
        int differ = layer.List().Zip(recorded.List()).Count(pair => pair.First != pair.Second);
        int off = Values.Of(filter).List().Zip(Values.Of(layer.Clip()).List()).Count(pair => pair.First != pair.Second);
        return new(
            "The same kernel in a Conv2d, and in TorchSharp",
            "Sharpened by ImageFilter, by a Conv2d with this kernel, and by a Conv2d of TorchSharp, recorded in a file of the program. Of "
            + $"{recorded.Length} outputs {off} differ between the first two and {differ} between the last two: the sums of whole numbers have no "
            + "rounding error.",
            Draw.Row(
                Draw.Photo("x", x.Clip(), cell: 3), Draw.Photo("ImageFilter", filter, cell: 3), Draw.Photo("Conv2d", layer.Clip(), cell: 3),
                Draw.Photo("TorchSharp's Conv2d", recorded.Clip(), cell: 3)));
    }

    /// <summary>A part of the photo, and the output of TorchSharp's Conv2d with the sharpening kernel.</summary>
    public static (float[,] X, float[,] Y) Recorded()
    {
        string path = Path.GetTempFileName();
        using (Stream from = PageStep.Resource("torchsharp.safetensors"), to = File.Create(path))
            from.CopyTo(to);
        IReadOnlyDictionary<string, SafeTensors.Entry> tensors = SafeTensors.Read(path).Tensors;
        File.Delete(path);
        return (Image("x"), Image("y"));

        float[,] Image(string name)
        {
            SafeTensors.Entry entry = tensors[name];
            float[] values = entry.As<float>().ToArray();
            return Values.Fill((int)entry.Shape[2], (int)entry.Shape[3], (r, c) => values[r * (int)entry.Shape[3] + c]);
        }
    }
}

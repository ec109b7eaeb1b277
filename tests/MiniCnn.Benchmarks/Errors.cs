using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using FloatTensor = System.Numerics.Tensors.Tensor<float>;

namespace MiniCnn.Benchmarks;

/// <summary>How far from the exact result a 3×3 convolution is: MiniCnn's by the direct sum and by Winograd, and TorchSharp's, on the same numbers.</summary>
static class Errors
{
    const int Batch = 16, Height = 14, Width = 15;

    /// <summary>Prints README.md's table: the largest error of an output, and the root of the mean square, in units of 2⁻²⁴ · Σ|x · w|.</summary>
    public static int Run()
    {
        TorchWorks.Load();
        Console.WriteLine("| 3×3, channels | direct sum | Winograd | TorchSharp |\n|---|---:|---:|---:|");
        foreach (int channels in (int[])[8, 16, 64, 256])
        {
            using DisposeScope scope = NewDisposeScope();
            Conv2d layer = new(channels, channels, 3, padding: 1, bias: false);
            layer.Initialize(seed: channels);
            FloatTensor x = RandomImages.Tensor(Batch, new(channels, Height, Width));
            Tensor input = tensor(Flat(x), [Batch, channels, Height, Width]);
            Tensor weight = tensor(Flat(layer.Weight.Value), [channels, channels, 3, 3]);
            Tensor Convolve(Tensor a, Tensor w) => F.conv2d(a, w, padding: [1, 1]);
            double[] exact = Numbers(Convolve(input.to(float64), weight.to(float64)));
            double[] sizes = Numbers(Convolve(input.to(float64).abs(), weight.to(float64).abs()));
            layer.ConvolutionAlgorithm = ConvolutionAlgorithm.Direct;
            string direct = Error(Ours());
            layer.ConvolutionAlgorithm = ConvolutionAlgorithm.Winograd;
            Console.WriteLine($"| {channels} | {direct} | {Error(Ours())} | {Error(Numbers(Convolve(input, weight).to(float64)))} |");

            double[] Ours() => Array.ConvertAll(Flat(layer.Forward(x)), y => (double)y);

            string Error(double[] actual)
            {
                double[] units = [.. actual.Select((y, i) => Math.Abs(y - exact[i]) / Math.ScaleB(sizes[i], -24))];
                return FormattableString.Invariant($"{units.Max():F1} ({Math.Sqrt(units.Average(u => u * u)):F2})");
            }
        }
        return 0;

        static float[] Flat(FloatTensor t)
        {
            float[] numbers = new float[t.FlattenedLength];
            t.FlattenTo(numbers);
            return numbers;
        }

        static double[] Numbers(Tensor t) => t.data<double>().ToArray();
    }
}

using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using FloatTensor = System.Numerics.Tensors.Tensor<float>;

namespace MiniCnn.Benchmarks;

/// <summary>
/// Measures the rounding errors of a 3×3 convolution and of the gradient of its weights: MiniCnn's by direct sum and Winograd, and TorchSharp's, on the
/// same numbers.
/// </summary>
static class Errors
{
    const int Batch = 16, Height = 14, Width = 15;

    /// <summary>
    /// Prints the table of README.md: the largest error and the root mean square in units of 2⁻²⁴ · Σ|x · w|, for the gradient 2⁻²⁴ · Σ|x · dy|.
    /// </summary>
    public static int Run()
    {
        TorchWorks.Load();
        Console.WriteLine("| 3×3, channels | direct sum | Winograd | TorchSharp |\n|---|---:|---:|---:|");
        foreach (int channels in (int[])[8, 16, 64, 256])
        {
            using DisposeScope scope = NewDisposeScope();
            Conv2d layer = new(channels, channels, 3, padding: 1, bias: false);
            layer.Initialize(seed: channels);
            FloatTensor x = RandomImages.Tensor(Batch, new(channels, Height, Width)), dy = RandomImages.Tensor(Batch, new(channels, Height, Width), seed: 1);
            Tensor Images(FloatTensor t) => tensor(Flat(t), [Batch, channels, Height, Width]);
            (Tensor input, Tensor gradient, Tensor weight) = (Images(x), Images(dy), tensor(Flat(layer.Weight.Value), [channels, channels, 3, 3]));
            Print($"{channels}", (x, w, dy) => F.conv2d(x, w, padding: [1, 1]), () => layer.Forward(x));
            Print($"{channels}, gradient of the weights", WeightGradient, () =>
            {
                layer.Weight.Gradient.Clear();
                layer.Forward(x, training: true);
                layer.Backward(dy);
                return layer.Weight.Gradient;
            });

            void Print(string row, Func<Tensor, Tensor, Tensor, Tensor> theirs, Func<FloatTensor> ours)
            {
                double[] exact = Numbers(theirs(input.to(float64), weight.to(float64), gradient.to(float64)));
                double[] sizes = Numbers(theirs(input.to(float64).abs(), weight.to(float64).abs(), gradient.to(float64).abs()));
                string direct = Ours(ConvolutionAlgorithm.Direct), winograd = Ours(ConvolutionAlgorithm.Winograd);
                Console.WriteLine($"| {row} | {direct} | {winograd} | {Error(Numbers(theirs(input, weight, gradient).to(float64)))} |");

                string Ours(ConvolutionAlgorithm algorithm)
                {
                    layer.ConvolutionAlgorithm = algorithm;
                    return Error(Array.ConvertAll(Flat(ours()), y => (double)y));
                }

                string Error(double[] actual)
                {
                    double[] units = [.. actual.Select((y, i) => Math.Abs(y - exact[i]) / Math.ScaleB(sizes[i], -24))];
                    return FormattableString.Invariant($"{units.Max():F1} ({Math.Sqrt(units.Average(u => u * u)):F2})");
                }
            }
        }
        return 0;

        static Tensor WeightGradient(Tensor x, Tensor w, Tensor dy)
        {
            w = w.detach().requires_grad_();
            return autograd.grad([F.conv2d(x, w, padding: [1, 1])], [w], [dy])[0];
        }

        static float[] Flat(FloatTensor t)
        {
            float[] numbers = new float[t.FlattenedLength];
            t.FlattenTo(numbers);
            return numbers;
        }

        static double[] Numbers(Tensor t) => t.detach().data<double>().ToArray();
    }
}

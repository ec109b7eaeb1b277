using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>The gradient check on whole networks and custom layers: what it reports, and that it leaves the layer unchanged.</summary>
public class GradientCheckTests
{
    [Fact]
    public void Winograds_convolution_if_the_layer_asks_for_it()
    {
        foreach (Layer layer in (Layer[])[
            new Conv2d(3, 2, 3, padding: (1, 0)), new Conv2d(4, 6, 3, padding: 2, dilation: (2, 1), groups: 2), new Conv2d(2, 3, 3, padding: 1, paddingMode: PaddingMode.Reflect),
            new ConvTranspose2d(3, 2, 3, padding: (0, 1)), new Sequential(new Conv2d(2, 4, 3), new BatchNorm2d(4), new ReLU(), new MaxPool2d(2))])
        {
            int channels = (int)layer.Parameters[0].Value.Lengths[layer is ConvTranspose2d ? 0 : 1] * (layer.ToString().Contains("groups", StringComparison.Ordinal) ? 2 : 1);
            double[] x = Array.ConvertAll(new Random(2).Reals(3 * channels * 6 * 9), number => (double)number);
            double[] direct = Run(), winograd = Run(ConvolutionAlgorithm.Winograd);
            Assert.NotEqual(direct, winograd);
            Assert.All(direct.Zip(winograd), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
            GradientReport report = GradientCheck.Run(layer, [3, channels, 6, 9]);
            Assert.True(report.Passed, report.ToString());

            double[] Run(ConvolutionAlgorithm algorithm = ConvolutionAlgorithm.Direct)
            {
                layer.ConvolutionAlgorithm = algorithm;
                foreach (Parameter parameter in layer.Parameters)
                    parameter.BeginCheck();
                double[] y = new ScalarRun<double>(layer, 3, new(channels, 6, 9)).Forward(x);
                foreach (Parameter parameter in layer.Parameters)
                    parameter.EndCheck();
                return y;
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(17)]
    public void A_whole_net(int batch)
    {
        Sequential Net() => new(
            new Conv2d(1, 3, (3, 2), padding: 1), new ReLU(), new MaxPool2d(2), new Dropout(0.3), new Conv2d(3, 2, (1, 2), bias: false), new Flatten(), new Linear(18, 4));
        GradientReport report = GradientCheck.Run(Net(), [batch, 1, 6, 7], seed: 1);
        Assert.True(report.Passed, report.ToString());
        Assert.Equal(["input", "0.weight", "0.bias", "4.weight", "6.weight", "6.bias"], report.Tensors.Select(tensor => tensor.Name));
        Assert.All(report.Tensors, tensor => Assert.InRange(tensor.Error, 0, 1e-8));
        Assert.Contains("in double", report.ToString(), StringComparison.Ordinal);
        GradientCheck.Verify(new Sequential(Net(), new ReLU(), new Linear(4, 2)), [batch, 1, 6, 7]);
        Sequential alike = new(new Conv2d(2, 2, 3, padding: 1), new Conv2d(2, 2, 3, padding: 1), new ReLU());   // every tensor of one shape
        GradientCheck.Verify(alike, [batch, 2, 4, 3]);
    }

    [Fact]
    public void Plain_layers_in_float_alone_and_in_a_model()
    {
        GradientReport report = GradientCheck.Run(new PlainConv(2, 3), [3, 2, 5, 6]);
        Assert.True(report.Passed, report.ToString());
        Assert.Equal([180, 36, 3], report.Tensors.Select(tensor => tensor.Checked));
        Assert.All(report.Tensors, tensor => Assert.Equal(0, tensor.Kinks));
        GradientCheck.Verify(new Swish(), [2, 3, 4, 5]);
        PlainConv used = new(2, 3);
        used.Parameters[0].GradientAs<float>().Fill(3);                             // of an earlier batch
        GradientCheck.Verify(used, [3, 2, 5, 6]);
        GradientCheck.Verify(new Sequential(new Conv2d(1, 2, (2, 3)), new Swish(), new Sequential(new PlainConv(2, 2), new Dropout(0.3)), new Flatten()), [3, 1, 6, 7]);
        GradientCheck.Verify(new Sequential(new PlainConv(1, 2), new MaxPool2d(2)), [2, 1, 5, 7]);
    }

    [Fact]
    public void Afterwards_the_layer_is_as_it_was()
    {
        foreach (Layer middle in (Layer[])[new ReLU(), new Swish()])
        {
            Sequential net = new(new Conv2d(1, 2, (2, 3)), middle, new Dropout(), new PlainConv(2, 1, (_, _, db) => db[0] = float.NaN));
            net.Initialize(seed: 5);
            Tensor<float> x = new Random(1).Tensor(1, 1, 6, 7), dy = Tensor.CreateFromShape<float>([1, 1, 4, 4]);
            net.Forward(x, training: true);
            foreach (Parameter parameter in net.Parameters)
                parameter.GradientAs<float>().Fill(3);
            float[] before = State();
            Assert.False(GradientCheck.Run(net, [2, 1, 5, 6]).Passed);
            Assert.Throws<InvalidOperationException>(() => GradientCheck.Verify(net, [2, 1, 5, 6]));
            Assert.Equal(before, State());
            Assert.Equal((5, 1), (net.Session.Seed, net.Session.Step));
            Assert.Throws<InvalidOperationException>(() => net.Backward(dy));       // what was kept is gone

            float[] State() => [.. net.Parameters.SelectMany(p => (float[])[.. p.ValueAs<float>(), .. p.GradientAs<float>()])];
        }
        Sequential thrower = new(new Conv2d(1, 2, (2, 3)), new PlainConv(2, 1, (_, _, _) => throw new NotSupportedException()));
        float[] weight = thrower.Parameters[0].ValueAs<float>().ToArray();
        Assert.Throws<NotSupportedException>(() => GradientCheck.Run(thrower, [2, 1, 5, 6]));
        Assert.Equal(weight, thrower.Parameters[0].ValueAs<float>());
        thrower.Forward(Tensor.CreateFromShape<float>([2, 1, 5, 6]));
    }

    [Fact]
    public void The_seed_decides_and_frozen_parameters_are_left_out()
    {
        Conv2d conv = new(1, 2, (2, 3));
        conv.Bias!.Trainable = false;
        string first = GradientCheck.Run(conv, [2, 1, 4, 5]).ToString();
        Assert.Equal(first, GradientCheck.Run(conv, [2, 1, 4, 5]).ToString());
        Assert.NotEqual(first, GradientCheck.Run(conv, [2, 1, 4, 5], seed: 1).ToString());
        Assert.DoesNotContain("bias", first, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_large_tensor_a_sample_is_checked_and_the_report_says_so()
    {
        GradientReport report = GradientCheck.Run(new Linear(300, 8), [1, 300]);
        Assert.True(report.Passed, report.ToString());
        Assert.Equal(GradientCheck.MostElements, report.Tensors[1].Checked);
        Assert.Contains("weight [8, 300]: 2000 of 2400 elements, drawn at random", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_gradient_of_rounding_errors_is_one_of_zero()
    {
        // What shift adds to all features, taking their mean off removes again: ∂f/∂shift is 0, but the sums are not quite.
        GradientReport report = GradientCheck.Run(new Affine(), [3, 40]);
        Assert.True(report.Passed, report.ToString());
        Assert.NotEqual(0, report.Tensors[1].Error);
    }

    [Theory]
    [InlineData(8, true)]
    [InlineData(5, false)]                                       // 1 of 4·5 is 5 %, 1 of 3·5 is more
    public void An_element_at_ReLUs_kink_is_counted_and_more_than_a_twentieth_fail(int width, bool passes)
    {
        Probe probe = new();
        GradientCheck.Run(probe, [1, 1, 3, width]);
        Conv2d shift = new(1, 1, 1);                             // takes the first pixel off from all, so that this one is at 0
        (shift.Weight.Trainable, shift.Bias!.Trainable) = (false, false);
        (shift.Weight.ValueAs<float>()[0], shift.Bias.ValueAs<float>()[0]) = (1, -probe.First[0]);
        GradientReport report = GradientCheck.Run(new Sequential(shift, new ReLU()), [1, 1, 3, width]);
        Assert.Equal((1, 3 * width), (report.Tensors[0].Kinks, report.Tensors[0].Checked));
        Assert.True(passes == report.Passed, report.ToString());
        if (!passes)
            Assert.StartsWith("input: 1 of 15 elements are at kinks", Assert.Single(report.Findings), StringComparison.Ordinal);
    }
}

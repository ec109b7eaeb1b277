using System.Numerics.Tensors;
using MiniCnn.Cases;

namespace MiniCnn.Tests;

/// <summary>Properties of whole networks: a ResNet block, an Inception block, a U-Net, a decoder, norms and activations.</summary>
[Collection("Workers")]                                               // one test turns Workers.Count
public sealed class BlockTests
{
    static Sequential Net(string name)
    {
        Sequential net = name switch
        {
            "basic_block" => CaseTable.BasicBlocks(),
            "inception" => CaseTable.Inception(),
            "decoder" => new(
                new Conv2d(2, 3, 3, padding: 1), new MaxPool2d(3, 2, 1, ceilMode: true), new AdaptiveMaxPool2d((3, 2)), new Flatten(), new Linear(18, 20),
                new ReLU(), new Unflatten(new(2, 2, 5)), new ConvTranspose2d(2, 2, 2, stride: (2, 1)), new Pad2d(new(2, -1, 0, 3)), new Pad2d((1, 2), PaddingMode.Reflect),
                new AvgPool2d(3, 2, 1, ceilMode: true)),
            "norms" => new(new GroupNorm(3, 6), new LayerNorm(new ImageShape(6, 7, 5)), new Flatten(), new LayerNorm(210), new Linear(210, 3)),
            "curves" => new(new Conv2d(2, 4, 3, padding: 1), new SiLU(), new ConvTranspose2d(4, 3, 2), new GELU(), new Conv2d(3, 2, 1)),
            _ => CaseTable.UNet(),
        };
        net.Initialize(seed: 3);
        return net;
    }

    public static TheoryData<string, int, int, int> Nets => new()
    {
        { "basic_block", 3, 7, 10 }, { "inception", 2, 7, 9 }, { "unet", 2, 8, 12 }, { "curves", 2, 7, 9 }, { "decoder", 2, 8, 12 },
        { "norms", 6, 7, 5 },
    };

    static Tensor<float> Images(int count, int channels, int height, int width) =>
        new Random(count).Tensor(count, channels, height, width);

    static Tensor<float> Like(Tensor<float> y) => new Random(2).Tensor(y.Lengths);

    [Theory]
    [MemberData(nameof(Nets))]
    public void Gradients_are_right_in_double(string name, int channels, int height, int width)
    {
        foreach (int batch in (int[])[2, 3])
            GradientCheck.Verify(Net(name), [batch, channels, height, width]);
    }

    [Fact]
    public void A_U_Net_of_transposed_convolutions_has_the_right_gradients()
    {
        Sequential Level(int channels, Layer inner) => new(
            new Conv2d(channels, 2 * channels, 3, padding: 1), new ReLU(),
            new Concat(new Identity(), new Sequential(new MaxPool2d(2), inner, new ConvTranspose2d(4 * channels, 2 * channels, 2, stride: 2))));
        Sequential net = new(Level(1, new Sequential(Level(2, new Conv2d(4, 8, 1)), new Conv2d(8, 4, 1))), new Conv2d(4, 1, 1));
        Assert.Equal(new(1, 4, 8), net.OutputShape(new(1, 4, 8)));
        GradientCheck.Verify(net, [3, 1, 4, 8]);
    }

    [Theory]
    [MemberData(nameof(Nets))]
    public void A_net_is_its_layers_one_by_one_to_the_bit(string name, int channels, int height, int width)
    {
        foreach (int count in (int[])[1, 3, 16, 17, 33])
        {
            (Sequential whole, Sequential alone) = (Net(name), Net(name));
            Tensor<float> x = Images(count, channels, height, width), y = whole.Forward(x, training: true), step = x;
            foreach (Layer layer in alone.Layers)
                step = layer.Forward(step, training: true);
            Assert.Equal(step.AsSpan().ToArray(), y.AsSpan().ToArray());
            Tensor<float> dy = Like(y), dx = whole.BackwardToInput(dy);
            foreach (Layer layer in alone.Layers.Reverse())
                dy = layer.BackwardToInput(dy);
            Assert.Equal(dy.AsSpan().ToArray(), dx.AsSpan().ToArray());
            Assert.Equal(alone.Gradients, whole.Gradients);
            Assert.All(whole.Parameters, p => Assert.Contains(p.Gradient.AsSpan().ToArray(), g => g != 0));

            IReadOnlyList<Tensor<float>> trace = whole.Trace(x);                // not training
            Assert.Equal(whole.Layers.Count, trace.Count);
            Assert.Equal(whole.Forward(x).AsSpan().ToArray(), trace[^1].AsSpan().ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Nets))]
    public void An_images_output_does_not_depend_on_the_batch_around_it(string name, int channels, int height, int width)
    {
        Sequential net = Net(name);
        net.Forward(Images(20, channels, height, width), training: true);      // batch norm's statistics are then no zeros and ones
        int image = channels * height * width;
        Tensor<float> all = Images(33, channels, height, width);
        foreach (int count in (int[])[33, 17, 16, 9, 0, 33])
        {
            Tensor<float> y = net.Forward(Tensor.Create(all.AsSpan()[..(count * image)].ToArray(), [count, channels, height, width]));
            Assert.Equal(net.Forward(all).AsSpan()[..(int)y.FlattenedLength].ToArray(), y.AsSpan().ToArray());
        }
        float[] one = net.Forward(Tensor.Create(all.AsSpan()[..image].ToArray(), [1, channels, height, width])).AsSpan().ToArray();
        float[] many = net.Forward(all).AsSpan()[..one.Length].ToArray();       // summed in another order
        Assert.All(one.Zip(many), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Theory]
    [MemberData(nameof(Nets))]
    public void Rubbish_in_dead_lanes_reaches_no_image_and_no_gradient(string name, int channels, int height, int width)
    {
        float[] clean = Run(0);
        Assert.All(clean, number => Assert.True(float.IsFinite(number)));
        Assert.Equal(clean, Run(float.NaN));
        Assert.Equal(clean, Run(1e30f));

        float[] Run(float rubbish)
        {
            Sequential net = Net(name);
            ImageShape shape = new(channels, height, width), output = net.OutputShape(shape);
            LaneTensor<float> x = new(16, shape, net.InputMargin(shape)), y = new(16, output);
            LaneTensor<float> dy = new(16, output, net.GradientMargin(shape)), dx = new(16, shape);
            x.Resize(19).Pack(new Random(1).Reals(19 * (int)shape.Length));
            LayerBench.FillDeadLanes(x, rubbish);
            dy.Resize(19).Pack(new Random(2).Reals(19 * (int)output.Length));
            LayerContext<float> context = new() { Training = true };
            Vectors.Of(8, () =>
            {
                net.Forward(x, y.Resize(19), context);
                net.Backward(x, y, dy, dx.Resize(19), context);
            });
            LayerBench.AssertDeadLanesAreZero(dx);
            float[] results = new float[19 * (output.Length + shape.Length)];
            y.Unpack(results);
            dx.Unpack(results.AsSpan(19 * (int)output.Length));
            return [.. results, .. net.Gradients];
        }
    }

    [Theory]
    [MemberData(nameof(Nets))]
    public void The_bits_are_the_same_on_any_number_of_threads(string name, int channels, int height, int width)
    {
        foreach (int count in (int[])[3, 33])
        {
            float[][] results = [.. new[] { 1, 2, 3 }.Select(threads => Threads.Of<float[]>(threads, () =>
            {
                Sequential net = Net(name);
                Tensor<float> y = net.Forward(Images(count, channels, height, width), training: true), dx = net.BackwardToInput(Like(y));
                return [.. y.AsSpan(), .. dx.AsSpan(), .. net.Gradients];
            }))];
            Assert.Equal(results[0], results[1]);
            Assert.Equal(results[0], results[2]);
        }
    }

    [Theory]
    [MemberData(nameof(Nets))]
    public void Once_warm_a_step_allocates_nothing(string name, int channels, int height, int width)
    {
        foreach (int count in (int[])[3, 20])
        {
            Sequential net = Net(name);
            Tensor<float> x = Images(count, channels, height, width), y = net.Forward(x, training: true), dy = Like(y), dx = net.BackwardToInput(dy);
            Assert.Equal(0, Allocated.Bytes(() =>
            {
                for (int i = 0; i < 20; i++)
                {
                    net.Forward(x, training: true, y);
                    net.BackwardToInput(dy, dx);
                }
            }));
        }
    }

    [Theory]
    [MemberData(nameof(Nets))]
    public void Weights_are_saved_and_loaded(string name, int channels, int height, int width)
    {
        (Sequential saved, Sequential loaded) = (Net(name), Net(name));
        saved.Initialize(seed: 8);
        Tensor<float> x = Images(5, channels, height, width);
        saved.Forward(x, training: true);
        string path = Path.GetTempFileName();
        Weights.Save(saved, path);
        Weights.Load(loaded, path);
        File.Delete(path);
        Assert.NotEqual(Net(name).Forward(x).AsSpan().ToArray(), saved.Forward(x).AsSpan().ToArray());
        Assert.Equal(saved.Forward(x).AsSpan().ToArray(), loaded.Forward(x).AsSpan().ToArray());
    }

    [Fact]
    public void Names_are_those_of_PyTorchs_state_dict()
    {
        Assert.Equal(
            ["0.body.0.weight", "0.body.1.weight", "0.body.1.bias", "0.body.1.running_mean", "0.body.1.running_var", "0.body.1.num_batches_tracked",
                "0.body.3.weight", "0.body.4.weight"],
            Net("basic_block").Stored.Select(stored => stored.Name).Take(8));
        Assert.Contains("0.shortcut.1.running_mean", Net("basic_block").Stored.Select(stored => stored.Name));
        Assert.Contains("2.1.3.1.4.bias", Net("unet").Parameters.Select(p => p.Name));
    }

    [Fact]
    public void Dropouts_of_two_branches_draw_masks_of_their_own()
    {
        Tensor<float> ones = Tensor.Create(Enumerable.Repeat(1f, 20 * 600).ToArray(), [20, 6, 10, 10]);
        foreach (Func<Layer> branch in (Func<Layer>[])[() => new Dropout(0.5), () => new Sequential(new Dropout(0.5))])
        {
            // 0, 2 or 4 by two coins of their own; never 2 if both had one mask.
            Residual sum = new(branch(), branch());
            float[] sums = sum.Forward(ones, training: true).AsSpan().ToArray();
            Assert.Equal(0.5, sums.Count(v => v == 2) / (double)sums.Length, 0.02);
            Assert.Equal(0.25, sums.Count(v => v == 4) / (double)sums.Length, 0.02);
            Assert.Equal(sums, sum.BackwardToInput(ones).AsSpan().ToArray());              // the same masks

            Concat pair = new(branch(), branch(), branch());
            float[] outputs = pair.Forward(ones, training: true).AsSpan()[..1800].ToArray();
            Assert.NotEqual(outputs[..600], outputs[600..1200]);
            Assert.NotEqual(outputs[..600], outputs[1200..]);
            Assert.NotEqual(outputs[600..1200], outputs[1200..]);
        }
    }

    [Fact]
    public void A_summary_has_a_row_for_every_layer_inside()
    {
        // conv body.0: 4·4·5 outputs of 3·9 products, body.3: of 4·9, shortcut.0: of 3; conv 2: 8·4·5 of 8.
        Sequential net = new(
            new Residual(
                new Sequential(new Conv2d(3, 4, 3, stride: 2, padding: 1, bias: false), new ReLU(), new Conv2d(4, 4, 3, padding: 1)),
                new Conv2d(3, 4, 1, stride: 2)),
            new Concat(new Identity(), new Sequential(new AvgPool2d((4, 5)), new Upsample((4, 5)))), new Conv2d(8, 8, 1));
        Assert.Equal(
            """
            layer                                                            output  parameters  multiply-adds
            Sequential(3 layers)                                             8×4×5          344          6,560
              0  Residual(Sequential(3 layers), Conv2d(3→4, 1×1, stride 2))  4×4×5          272          5,280
                0.body  Sequential(3 layers)                                 4×4×5          256          5,040
                  0.body.0  Conv2d(3→4, 3×3, stride 2, padding 1, no bias)   4×4×5          108          2,160
                  0.body.1  ReLU                                             4×4×5            0              0
                  0.body.2  Conv2d(4→4, 3×3, padding 1)                      4×4×5          148          2,880
                0.shortcut  Conv2d(3→4, 1×1, stride 2)                       4×4×5           16            240
              1  Concat(2 branches)                                          8×4×5            0              0
                1.0  Identity                                                4×4×5            0              0
                1.1  Sequential(2 layers)                                    4×4×5            0              0
                  1.1.0  AvgPool2d(4×5, stride 4×5)                          4×1×1            0              0
                  1.1.1  Upsample(4×5)                                       4×4×5            0              0
              2  Conv2d(8→8, 1×1)                                            8×4×5           72          1,280
            344 parameters (1.3 KiB)
            an image of 3×7×10: 6,560 multiply-adds, 3.5 KiB of outputs
            """.ReplaceLineEndings("\n"),
            net.Summary(new(3, 7, 10)));
    }
}

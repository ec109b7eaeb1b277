using System.Numerics.Tensors;
using static MiniCnn.Tests.Rounded;

namespace MiniCnn.Tests;

public sealed class BatchNormTests
{
    [Fact]
    public void The_gradient_of_a_half_frozen_norm_is_right_in_double()
    {
        BatchNorm2d frozen = new(2);
        frozen.Weight.Trainable = false;
        GradientCheck.Verify(frozen, [1, 2, 3, 5]);
    }

    [Fact]
    public void Its_gradient_in_evaluation_is_right_in_double_asked_for_or_held_and_moves_nothing()
    {
        BatchNorm2d norm = new(2, epsilon: 0.25), inside = new(3);
        BatchNorm1d ofFeatures = new(60);
        Sequential features = new(new Flatten(), ofFeatures, new ReLU());
        Sequential model = new(
            new Conv2d(2, 3, (3, 2), bias: false), inside, new ReLU(), new Residual(new Sequential(new Conv2d(3, 3, 3, padding: 1), new BatchNorm2d(3))),
            new ReLU(), new MaxPool2d(2), new Dropout(0.5), new Flatten(), new Linear(6, 2));
        foreach ((Layer layer, BatchNorm its) in ((Layer, BatchNorm)[])[(norm, norm), (model, inside), (features, ofFeatures)])
        {
            layer.Initialize(3);
            layer.Forward(new Random(1).Tensor(9, 2, 5, 6), training: true);
            float[] before = [.. its.RunningMean.AsSpan(), .. its.RunningVar.AsSpan()];
            GradientCheck.Verify(layer, [3, 2, 5, 6], training: false);
            Assert.Contains("in evaluation, input [3, 2, 5, 6], in double", GradientCheck.Run(layer, [3, 2, 5, 6], training: false).ToString(), StringComparison.Ordinal);
            layer.HoldInEvaluation = true;
            GradientCheck.Verify(layer, [3, 2, 5, 6]);
            layer.Forward(new Random(2).Tensor(1, 2, 5, 6), training: true);
            Assert.Equal<float[]>(before, [.. its.RunningMean.AsSpan(), .. its.RunningVar.AsSpan()]);
            Assert.Equal(1, its.BatchesTracked);
        }
    }

    [Fact]
    public void A_gradient_check_leaves_the_running_statistics_alone()
    {
        BatchNorm2d norm = new(2);
        norm.Forward(new Random(1).Tensor(1, 2, 3, 4), training: true);
        float[] before = [.. norm.RunningMean.AsSpan(), .. norm.RunningVar.AsSpan()];
        GradientCheck.Verify(norm, [3, 2, 5, 4]);
        Assert.Equal<float[]>(before, [.. norm.RunningMean.AsSpan(), .. norm.RunningVar.AsSpan()]);
        Assert.Equal(1, norm.BatchesTracked);
    }

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void It_is_its_definition_at_every_width(int lanes, int width)
    {
        Random random = new(3);
        foreach (int count in (int[])[2, 3, 15, 16, 17, 33])
            foreach (ImageShape shape in (ImageShape[])[new(random.Next(1, 4), random.Next(1, 6), random.Next(1, 12)), random.Next(1, 40)])
                Check(count, shape);

        void Check(int count, ImageShape shape)
        {
            float[] x = random.Reals((int)(count * shape.Length)), dy = random.Reals(x.Length);
            BatchNorm norm = shape.IsFlat ? new BatchNorm1d(shape.Channels) : new BatchNorm2d(shape.Channels);
            random.Reals(shape.Channels).CopyTo(norm.Weight.Value.AsSpan());
            random.Reals(shape.Channels).CopyTo(norm.Bias.Value.AsSpan());
            LayerBench bench = LayerBench.Run(norm, shape, count, x, dy, lanes, width);
            // Each channel of the batch is normalized, as group norm with one channel a group does with an image.
            ImageShape whole = new(shape.Channels, count * shape.Height, shape.Width);
            float[] wholeX = AsOneImage(x, count, shape), wholeDy = AsOneImage(dy, count, shape);
            int roundings = count * shape.Height * shape.Width + 16;
            new ImageNormDefinition(shape.Channels, norm.Weight.Value.AsSpan(), norm.Bias.Value.AsSpan(), 1e-5, wholeX, wholeDy, 1, whole, roundings)
                .AssertHolds($"{norm} {count}×{shape}", AsOneImage(bench.Y, count, shape), AsOneImage(bench.Dx, count, shape), norm);

            norm.Weight.Gradient.AsSpan().Clear();
            norm.Bias.Gradient.AsSpan().Clear();
            LayerBench running = LayerBench.Run(norm, shape, count, x, dy, lanes, width, training: false);
            for (int i = 0; i < x.Length; i++)
            {
                int c = i / (shape.Height * shape.Width) % shape.Channels;
                double scale = norm.Weight.Value[c] / Math.Sqrt(norm.RunningVar[c] + 1e-5), y = (x[i] - norm.RunningMean[c]) * scale + norm.Bias.Value[c];
                Assert.True(Math.Abs(running.Y[i] - y) <= 8 * Epsilon * (Math.Abs(y) + 4), $"{norm}: in evaluation, y[{i}] = {running.Y[i]}, not {y}");
                Assert.True(Math.Abs(running.Dx[i] - scale * dy[i]) <= 4 * Epsilon * Math.Abs(scale * dy[i]), $"{norm}: in evaluation, dx[{i}] = {running.Dx[i]}");
            }
            for (int c = 0; c < shape.Channels; c++)
            {
                int[] places = [.. Enumerable.Range(0, x.Length).Where(i => i / (shape.Height * shape.Width) % shape.Channels == c)];
                double Hat(int i) => (x[i] - (double)norm.RunningMean[c]) / Math.Sqrt(norm.RunningVar[c] + 1e-5);
                Near("dbias", norm.Bias.Gradient[c], i => dy[i]);
                Near("dweight", norm.Weight.Gradient[c], i => dy[i] * Hat(i));

                void Near(string what, float actual, Func<int, double> term)
                {
                    double sum = places.Sum(term), bound = (places.Length + 16) * Epsilon * places.Sum(i => Math.Abs(term(i)));
                    Assert.True(Math.Abs(actual - sum) <= bound, $"{norm}: in evaluation, {what}[{c}] = {actual}, not {sum} ± {bound}");
                }
            }
        }
    }

    [Fact]
    public void The_running_statistics_take_a_share_of_the_mean_and_the_unbiased_variance()
    {
        BatchNorm2d norm = new(1, momentum: 0.25);
        norm.Forward(Tensor.Create<float>([1, 3], [1, 1, 1, 2]), training: true);         // 3/4 · 0 + 2/4, 3/4 · 1 + 2/4
        Assert.Equal((0.5f, 1.25f, 1), (norm.RunningMean[0], norm.RunningVar[0], norm.BatchesTracked));
        norm.Forward(Tensor.Create<float>([4, 4, 10], [3, 1, 1, 1]), training: true);     // 3/8 + 6/4, 15/16 + 12/4
        Assert.Equal((1.875f, 3.9375f, 2), (norm.RunningMean[0], norm.RunningVar[0], norm.BatchesTracked));
    }

    [Fact]
    public void The_running_statistics_are_saved_and_loaded_under_PyTorchs_names()
    {
        string path = Path.GetTempFileName();
        Sequential saved = new(new Conv2d(1, 2, 3), new BatchNorm2d(2)), loaded = new(new Conv2d(1, 2, 3), new BatchNorm2d(2));
        saved.Forward(new Random(1).Tensor(3, 1, 5, 6), training: true);
        Weights.Save(saved, path, [new("classes", "cat dog")]);
        SafeTensorsFile file = SafeTensors.Read(path);
        Assert.Equal(
            ["0.bias", "0.weight", "1.bias", "1.num_batches_tracked", "1.running_mean", "1.running_var", "1.weight"],
            file.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("I64 []", file.Tensors["1.num_batches_tracked"].ToString());
        Assert.Equal("cat dog", file.Metadata["classes"]);
        Weights.Load(loaded, path);
        File.Delete(path);
        Tensor<float> x = new Random(2).Tensor(1, 1, 5, 6);
        Assert.Equal(saved.Forward(x).AsSpan().ToArray(), loaded.Forward(x).AsSpan().ToArray());
        Assert.Equal(1, ((BatchNorm2d)loaded.Layers[1]).BatchesTracked);
        loaded.Initialize(0);
        Assert.Equal(0, ((BatchNorm2d)loaded.Layers[1]).BatchesTracked);
        Assert.Equal<float[]>([0, 0, 1, 1], [.. ((BatchNorm2d)loaded.Layers[1]).RunningMean.AsSpan(), .. ((BatchNorm2d)loaded.Layers[1]).RunningVar.AsSpan()]);
    }

    [Fact]
    public void One_value_a_channel_and_other_shapes_are_refused_and_no_images_change_nothing()
    {
        Sequential model = new(new ReLU(), new BatchNorm2d(2));
        Assert.Contains("layer 1, BatchNorm2d(2): training needs more than one value per channel", Refused([1, 2, 1, 1]), StringComparison.Ordinal);
        Assert.Contains("layer 1, BatchNorm2d(2): takes images of 2 channels, not 3×", Refused([1, 3, 2, 1]), StringComparison.Ordinal);
        Assert.Contains("takes images of 2 channels", Refused([2, 2]), StringComparison.Ordinal);
        Assert.Equal(2, model.Forward(Tensor.Create<float>([1f, 2f], [1, 2, 1, 1])).FlattenedLength);
        model.Forward(Tensor.CreateFromShape<float>([0, 2, 3, 4]), training: true);
        model.Backward(Tensor.CreateFromShape<float>([0, 2, 3, 4]));
        Assert.Equal(0, ((BatchNorm2d)model.Layers[1]).BatchesTracked);
        Assert.Throws<ArgumentException>(() => new BatchNorm2d(0));
        Assert.Throws<ArgumentException>(() => new BatchNorm2d(1, epsilon: 0));
        Assert.Throws<ArgumentException>(() => new BatchNorm2d(1, momentum: 1.5));
        Assert.EndsWith("not 2 features; BatchNorm1d takes features", Refused([2, 2]), StringComparison.Ordinal);

        model = new(new ReLU(), new BatchNorm1d(2));
        Assert.Equal("layer 1, BatchNorm1d(2): training needs more than one value per channel; use a larger batch", Refused([1, 2]));
        Assert.Equal("layer 1, BatchNorm1d(2): takes 2 features, not 3", Refused([5, 3]));
        Assert.Equal("layer 1, BatchNorm1d(2): takes 2 features, not images of 2×1×1; BatchNorm2d takes images", Refused([5, 2, 1, 1]));
        model.Forward(Tensor.Create<float>([1f, 2f], [1, 2]));
        model.Forward(Tensor.CreateFromShape<float>([0, 2]), training: true);
        Assert.Equal(0, ((BatchNorm1d)model.Layers[1]).BatchesTracked);
        Assert.Equal("BatchNorm1d needs at least one channel, not 0", Assert.Throws<ArgumentException>(() => new BatchNorm1d(0)).Message);
        Assert.StartsWith("BatchNorm1d needs epsilon > 0", Assert.Throws<ArgumentException>(() => new BatchNorm1d(1, epsilon: 0)).Message, StringComparison.Ordinal);

        string Refused(nint[] shape) => Assert.Throws<ArgumentException>(() => model.Forward(Tensor.CreateFromShape<float>(shape), training: true)).Message;
    }

    /// <summary>A batch rearranged as one image [C, N·H, W]: each channel holds the pixels of that channel in all images.</summary>
    static float[] AsOneImage(float[] batch, int count, ImageShape shape) =>
    [
        .. from c in Enumerable.Range(0, shape.Channels)
           from n in Enumerable.Range(0, count)
           from number in batch.AsSpan((n * shape.Channels + c) * shape.Height * shape.Width, shape.Height * shape.Width).ToArray()
           select number,
    ];
}

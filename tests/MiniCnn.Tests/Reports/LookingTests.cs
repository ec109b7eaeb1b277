using System.Numerics.Tensors;
using MiniCnn.Reports;

namespace MiniCnn.Tests;

/// <summary>Heat maps of the regions that determine a class. <see cref="PetClassifierTests"/> tests networks with global pooling.</summary>
public sealed class LookingTests : ReportRuns
{
    readonly LabeledImages images = Draw(12, seed: 4);

    Tensor<float> X => Tensor.Create(images.Batches(12).Single().Images.AsSpan()[..420].ToArray(), [1, 3, 10, 14]);

    /// <summary>Before a linear layer, the slope of the logit by a pixel of a map is a weight, and αc is the mean of the weights of a map.</summary>
    [Fact]
    public void Before_a_Linear_the_weight_of_a_map_is_the_mean_of_its_weights()
    {
        Linear linear = new(6 * 5 * 7, 3);
        Sequential network = new(
            new Conv2d(3, 4, 3, padding: 1), new ReLU(), new MaxPool2d(2), new Conv2d(4, 6, 3, padding: 1), new ReLU(), new Flatten(), linear);
        float[] maps = network.Trace(X)[4].AsSpan().ToArray();
        double most = 0;
        for (int label = 0; label < 3; label++)
        {
            double[] alpha = [.. Enumerable.Range(0, 6).Select(c => Enumerable.Range(0, 35).Average(i => (double)linear.Weight.Value[label, c * 35 + i]))];
            most += Same(maps, alpha, Looking.GradCam(network, X, label)!, height: 5, width: 7);
        }
        Assert.True(most > 0);
    }

    /// <summary>The layers after the maps run in evaluation. Compares αc with differences of the logit of these layers, in double.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(1)]
    public void Behind_dropout_and_batch_norm_it_is_the_slope_in_evaluation_and_no_gradient_moves(int classes)
    {
        Sequential network = new([new Conv2d(3, 4, 3, padding: 1), new BatchNorm2d(4), new ReLU(), new MaxPool2d(2), .. Rest()]);
        network.Initialize(seed: 2);
        for (int step = 0; step < 5; step++)
            network.Forward(images.Batches(12, seed: step).Single().Images, training: true);
        network.Layers[0].Freeze();
        foreach (Parameter p in network.Parameters)
            p.Gradient.AsSpan().Fill(0.25f);
        byte[][] before = network.State;

        Sequential rest = new(Rest());
        foreach ((StoredTensor to, StoredTensor from) in rest.Stored.Zip(network.Layers.Skip(4).SelectMany(layer => layer.Stored)))
            to.Load(from.Save());
        float[] maps = network.Trace(X)[3].AsSpan().ToArray();
        Assert.Equal(network.Forward(X).AsSpan().ToArray(), rest.Forward(Tensor.Create(maps, [1, 4, 5, 7])).AsSpan().ToArray());
        foreach (Parameter p in rest.Parameters)
            p.BeginCheck();
        ScalarRun<double> run = new(rest, 1, new(4, 5, 7), training: false);
        double most = 0;
        for (int label = 0; label < Math.Max(classes, 2); label++)
        {
            double[] alpha = [.. Enumerable.Range(0, 4).Select(c => (Logit(c, 1e-5) - Logit(c, -1e-5)) / 2e-5 / 35)];
            most += Same(maps, alpha, Looking.GradCam(network, X, label)!, height: 5, width: 7);

            // The logit with a map raised everywhere: the sum of the slopes by its pixels.
            double Logit(int channel, double step)
            {
                double[] raised = [.. maps.Select((value, i) => value + (i / 35 == channel ? step : 0))];
                double[] logits = run.Forward(raised);
                return classes == 1 ? (label == 0 ? -logits[0] : logits[0]) : logits[label];
            }
        }
        foreach (Parameter p in rest.Parameters)
            p.EndCheck();
        Assert.True(most > 0);
        Looking.Saliency(network, X, 0);

        Assert.Equal(before, network.State);
        Assert.All(network.Parameters, p => Assert.Equal(p.Owner is not Conv2d, p.Trainable));
        Assert.All(network.Parameters, p => Assert.Equal(-1, p.Gradient.AsSpan().IndexOfAnyExcept(0.25f)));

        Layer[] Rest() => [new Dropout(0.5), new Flatten(), new Linear(140, 8), new BatchNorm1d(8), new ReLU(), new Dropout(0.5), new Linear(8, classes)];
    }

    /// <summary>Compares with differences of the logit, in double. Rows and columns are not exchanged.</summary>
    [Fact]
    public void A_saliency_map_has_the_images_rows_and_columns()
    {
        Sequential network = new(new Conv2d(3, 4, 3), new Sigmoid(), new Flatten(), new Linear(4 * 8 * 12, 3));
        float[,] map = Looking.Saliency(network, X, 2);
        Assert.Equal((10, 14), (map.GetLength(0), map.GetLength(1)));
        double[] x = [.. X.AsSpan().ToArray().Select(value => (double)value)];
        foreach (Parameter p in network.Parameters)
            p.BeginCheck();
        ScalarRun<double> run = new(network, 1, small, training: false);
        for (int pixel = 0; pixel < 140; pixel++)
        {
            double slope = Enumerable.Range(0, 3).Max(c => Math.Abs(Logit(c * 140 + pixel, 1e-5) - Logit(c * 140 + pixel, -1e-5)) / 2e-5);
            Assert.Equal(slope, map[pixel / 14, pixel % 14], 1e-6);
        }
        foreach (Parameter p in network.Parameters)
            p.EndCheck();

        double Logit(int at, double step) => run.Forward([.. x.Select((value, i) => i == at ? value + step : value)])[2];
    }

    [Fact]
    public void There_is_none_where_there_are_no_maps_or_nothing_comes_after_them()
    {
        Assert.Null(Looking.GradCam(new Sequential(new Conv2d(3, 3, 1)), X, 0));
        Assert.Null(Looking.GradCam(new Residual(new Conv2d(3, 3, 1)), X, 0));
        Assert.Null(Looking.GradCam(new Sequential(new Flatten(), new Linear(420, 3)), X, 0));
        Assert.Null(Looking.GradCam(new Sequential(new Conv2d(3, 4, new(10, 14)), new Flatten(), new Linear(4, 3)), X, 0));      // a pixel is no map
        Assert.Empty(Looking.Maps(new Residual(new Conv2d(3, 3, 1)), X));

        Sequential network = new(new Conv2d(3, 4, 3), new AdaptiveAvgPool2d(1), new Flatten(), new Linear(4, 3));
        (Layer layer, Tensor<float> maps) = Assert.Single(Looking.Maps(network, X));
        Assert.Same(network.Layers[0], layer);
        Assert.Equal(network.Trace(X)[0].AsSpan().ToArray(), maps.AsSpan().ToArray());
    }

    /// <summary>A pass that throws leaves the Trainable flags unchanged.</summary>
    [Fact]
    public void Whatever_happens_what_learns_goes_on_learning()
    {
        Sequential network = new(new Conv2d(3, 2, 3), new NoWayBack(), new Flatten(), new Linear(2 * 8 * 12, 3));
        network.Layers[0].Freeze();
        Assert.Throws<NotSupportedException>(() => Looking.Saliency(network, X, 0));
        Assert.Equal([false, false, true, true], network.Parameters.Select(p => p.Trainable));
    }

    /// <summary>Verifies that a map is ReLU(Σ αc · maps[c]). Returns its maximum.</summary>
    static double Same(float[] maps, double[] alpha, float[,] found, int height, int width)
    {
        Assert.Equal((height, width), (found.GetLength(0), found.GetLength(1)));
        double[] expected = [.. Enumerable.Range(0, height * width).Select(i => Math.Max(alpha.Select((a, c) => a * maps[c * height * width + i]).Sum(), 0))];
        double size = alpha.Select((a, c) => Math.Abs(a) * maps[(c * height * width)..((c + 1) * height * width)].Max()).Sum();
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], found[i / width, i % width], 1e-6 * size);
        return expected.Max();
    }

    sealed class NoWayBack : CustomLayer
    {
        public override ImageShape OutputShape(ImageShape input) => input;

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training) => x;

        protected override Tensor<float> BackwardCore(Tensor<float> dy) => throw new NotSupportedException();
    }
}

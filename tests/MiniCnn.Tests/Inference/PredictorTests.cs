using System.Numerics.Tensors;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Predictions for tensors and pictures, from one thread and from several.</summary>
public sealed class PredictorTests
{
    static readonly ImageShape shape = new(3, 9, 12);

    /// <summary>A network with every kind of layer that keeps data during a forward pass.</summary>
    static ImageClassifier Net(params ReadOnlySpan<Layer> first)
    {
        Sequential net = new([
            .. first, new Conv2d(3, 6, 3, padding: 1, bias: false), new BatchNorm2d(6), new ReLU(), new MaxPool2d(2),
            new Concat(new Identity(), new Sequential(new Conv2d(6, 4, (1, 3), padding: (0, 1)), new GroupNorm(2, 4), new GELU())),
            new Residual(new Sequential(new Conv2d(10, 10, 3, padding: 1, paddingMode: PaddingMode.Reflect), new LayerNorm(new ImageShape(10, 4, 6)))),
            new Dropout(0.4), new AdaptiveAvgPool2d((2, 3)), new Flatten(), new Linear(60, 7)]);
        net.Initialize(5);
        net.Forward(Images(20), training: true);
        return new(net, shape, [0.4f, 0.5f, 0.6f], [0.2f, 0.25f, 0.3f], ["a", "b", "c", "d", "e", "f", "g"]);
    }

    static Tensor<float> Images(int count, int seed = 1) => new Random(seed).Tensor(count, 3, 9, 12);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(33)]
    public void It_is_the_softmax_of_what_the_network_says(int count)
    {
        ImageClassifier model = Net();
        Predictor predictor = model.CreatePredictor();
        Tensor<float> logits = model.Network.Forward(Images(count));
        IReadOnlyList<Prediction> predictions = predictor.Predict(Images(count));
        Assert.Same(model, predictor.Model);
        Assert.Equal(count, predictions.Count);
        for (int n = 0; n < count; n++)
        {
            double[] powers = [.. Enumerable.Range(0, 7).Select(c => Math.Exp(logits[n, c]))];
            for (int c = 0; c < 7; c++)
                Assert.Equal(powers[c] / powers.Sum(), predictions[n].Probabilities[c], 1e-6);
            Assert.Equal(Array.IndexOf(powers, powers.Max()), predictions[n].Label);
            Assert.Equal(model.ClassNames[predictions[n].Label], predictions[n].ClassName);
            Assert.Equal(predictions[n].Probabilities.Max(), predictions[n].Probability);
        }
    }

    [Fact]
    public void Large_logits_do_not_overflow()
    {
        Linear linear = new(3, 3);
        ImageClassifier model = new(new Sequential(new Flatten(), linear), new(1, 1, 3), [0], [1], ["a", "b", "c"]);
        foreach (float size in (float[])[1000, -1000])
        {
            ((float[])[size, size + 1, size]).CopyTo(linear.Bias!.Value.AsSpan());
            linear.Weight.Value.Fill(0);
            Prediction prediction = model.CreatePredictor().Predict(Tensor.Create(new float[3], [1, 1, 1, 3]))[0];
            Assert.Equal("b", prediction.ClassName);
            Assert.Equal(Math.E / (Math.E + 2), prediction.Probability, 1e-6);
        }
    }

    [Fact]
    public void Eight_threads_get_the_bits_of_one()
    {
        Predictor predictor = Net().CreatePredictor();
        int[] counts = [1, 3, 8, 9, 16, 17, 33, 5];
        float[][] alone = [.. counts.Select((count, i) => Bits(predictor.Predict(Images(count, i))))];
        using Barrier start = new(8);
        Exception?[] faults = new Exception?[8];
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(thread => new Thread(() =>
        {
            start.SignalAndWait();
            try
            {
                for (int round = 0; round < 40; round++)
                {
                    int i = (thread + round) % 8;
                    Assert.Equal(alone[i], Bits(predictor.Predict(Images(counts[i], i))));
                }
            }
            catch (Exception e)
            {
                faults[thread] = e;
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.All(faults, Assert.Null);

        static float[] Bits(IReadOnlyList<Prediction> predictions) => [.. predictions.SelectMany(prediction => prediction.Probabilities)];
    }

    /// <summary>Calls for a model with a custom layer run one after the other, since a custom layer may keep its x.</summary>
    [Fact]
    public void Where_a_layer_is_the_users_own_calls_wait_for_one_another()
    {
        OneAtATime layer = new();
        Predictor predictor = Net(layer).CreatePredictor();
        using Barrier start = new(4);
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            for (int round = 0; round < 4; round++)
                predictor.Predict(Images(2, i));
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.Equal(16, layer.Runs);
        Assert.False(layer.Met);
    }

    sealed class OneAtATime : CustomLayer
    {
        int inside;

        public int Runs { get; private set; }

        public bool Met { get; private set; }

        public override ImageShape OutputShape(ImageShape input) => input;

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training)
        {
            Runs += training ? 0 : 1;
            Met |= Interlocked.Increment(ref inside) > 1;
            Thread.Sleep(5);
            Interlocked.Decrement(ref inside);
            return x;
        }

        protected override Tensor<float> BackwardCore(Tensor<float> dy) => dy;
    }

    [Fact]
    public void A_warm_call_takes_buffers_that_are_there()
    {
        Predictor predictor = Net().CreatePredictor();
        Tensor<float> images = Images(16);
        predictor.Predict(images);
        Assert.InRange(Allocated.Bytes(() => predictor.Predict(images)), 0, 16 * 400);
    }

    [Fact]
    public void Images_of_another_shape_are_refused_and_the_next_call_goes_on()
    {
        Predictor predictor = Net().CreatePredictor();
        foreach (nint[] lengths in (nint[][])[[1, 3, 12, 9], [1, 1, 9, 12], [3, 9, 12], [1, 324]])
        {
            Tensor<float> images = Tensor.CreateFromShape<float>(lengths);
            string fault = Assert.Throws<ArgumentException>(() => predictor.Predict(images)).Message;
            Assert.StartsWith("the model takes images [N, 3, 9, 12], not [", fault, StringComparison.Ordinal);
        }
        Assert.Single(predictor.Predict(Images(1)));
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(1, 1)]
    [InlineData(3, 3)]
    [InlineData(3, 1)]
    public async Task A_picture_is_read_as_those_of_the_training_are(int channels, int pictureChannels)
    {
        Picture picture = new(31, 17, pictureChannels);
        new Random(3).NextBytes(picture.Pixels);
        Picture small = (channels == 1 ? picture.ToGrey() : picture.ToRgb()).Resize(12, 9);
        byte[] planes = new byte[channels * 9 * 12];
        for (int i = 0; i < planes.Length; i++)
            planes[i] = small.Pixels[i % 108 * channels + i / 108];
        float[] mean = [.. Enumerable.Range(0, channels).Select(c => 0.3f + c / 10f)], std = [.. Enumerable.Range(0, channels).Select(c => 0.2f + c / 20f)];
        LabeledImages one = new(planes, [0], new(channels, 9, 12), 2, mean, std, ["cat", "dog"]);
        Sequential net = new(new Flatten(), new Linear(channels * 108, 2));
        net.Initialize(1);
        ImageClassifier model = new(net, one);
        Tensor<float> x = one.Batches(1).Single().Images;
        Assert.Equal(x.AsSpan().ToArray(), model.ToInput(picture).AsSpan().ToArray());

        Predictor predictor = model.CreatePredictor();
        Prediction expected = predictor.Predict(x)[0];
        using MemoryStream stream = new();
        picture.Save(stream, ".png");
        Stream Rewound() => new MemoryStream(stream.ToArray());
        foreach (Prediction prediction in (Prediction[])[
            predictor.Predict(picture), predictor.Predict(Rewound()), await predictor.PredictAsync(Rewound())])
        {
            Assert.Equal(expected.Probabilities, prediction.Probabilities);
            Assert.Equal((expected.Label, expected.ClassName), (prediction.Label, prediction.ClassName));
        }
        Assert.Throws<PictureFormatException>(() => predictor.Predict(new MemoryStream([1, 2, 3])));
        await Assert.ThrowsAsync<PictureFormatException>(() => predictor.PredictAsync(new MemoryStream([1, 2, 3])));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => predictor.PredictAsync(Rewound(), new CancellationToken(canceled: true)));
    }

    [Fact]
    public void What_is_not_finite_is_no_prediction()
    {
        Sequential network = new(new Flatten(), new Linear(4, 2));
        Predictor predictor = new ImageClassifier(network, new ImageShape(1, 2, 2), [0], [1], ["a", "b"]).CreatePredictor();
        network.Parameters[1].Value[1] = float.NaN;
        Tensor<float> x = Tensor.CreateFromShape<float>([1, 1, 2, 2]);
        Assert.Contains("NaN or infinity", Assert.Throws<NotFiniteNumberException>(() => predictor.Predict(x)).Message);
    }
}

using System.Numerics.Tensors;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Training, evaluation, model file and predictor with masks.</summary>
public sealed class SegmentationTests : FolderTests
{
    /// <summary>Noise with bright squares of class 1 and crosses of class 2. The corner pixel has no class.</summary>
    static MaskedImages Shapes(int count, int seed, int classes = 3)
    {
        ImageShape shape = new(1, 12, 16);
        Random random = new(seed);
        byte[] pixels = new byte[count * 192], masks = new byte[count * 192];
        random.NextBytes(pixels);
        for (int n = 0; n < count; n++)
        {
            (int top, int left, byte kind) = (random.Next(8), random.Next(12), (byte)(1 + n % (classes - 1)));
            for (int i = 0; i < 192; i++)
            {
                (int y, int x) = (i / 16 - top, i % 16 - left);
                pixels[192 * n + i] /= 4;
                if (y is < 0 or > 4 || x is < 0 or > 4 || kind == 2 && x != 2 && y != 2)
                    continue;
                (pixels[192 * n + i], masks[192 * n + i]) = ((byte)(pixels[192 * n + i] + 160), kind);
            }
            masks[192 * n] = MaskedImages.Ignored;
        }
        return new(pixels, masks, shape, classes, [0.3f], [0.3f], [.. new[] { "ground", "square", "cross" }.Take(classes)]);
    }

    static Sequential Net(int outputs) => new(
        new Conv2d(1, 8, 3, padding: 1), new ReLU(),
        new Concat(new Identity(), new Sequential(
            new MaxPool2d(2), new Conv2d(8, 12, 3, padding: 1), new ReLU(), new Conv2d(12, 12, 3, padding: 1), new ReLU(), new Upsample(2))),
        new Conv2d(20, outputs, 3, padding: 1));

    [Fact]
    public void A_run_with_masks_learns_keeps_its_best_epoch_and_goes_on_to_the_bit()
    {
        (MaskedImages train, MaskedImages validation) = (Shapes(60, 1), Shapes(24, 2));
        Sequential whole = Net(3), parts = Net(3);
        TrainingResult result = Create(whole, "whole").Run(train);
        Assert.Equal("mean IoU", result.Monitor.Name);
        Assert.InRange(result.BestValue!.Value, 0.9, 1);
        Evaluation evaluation = Evaluation.Of(ImageSegmenter.Load(PathOf("whole.best")), validation);
        Assert.Equal(result.BestValue.Value, evaluation.MeanIoU, 1e-12);
        Assert.Equal(24 * 191, evaluation.Count);                                            // the corners are left out

        // Ended after five steps, in the middle of an epoch, and gone on with.
        using CancellationTokenSource stop = new();
        List<TrainingStep> steps = [];
        Create(parts, "parts").Run(train, step =>
        {
            steps.Add(step);
            if (step.Step == 5)
                stop.Cancel();
        }, stop.Token);
        Assert.Equal(16, steps[0].Images);
        Assert.InRange(steps[0].Count, 16 * 186, 16 * 192 - 1);                              // a corner may move out, or be repeated
        Create(parts, "parts").Run(train);
        Assert.Equal(File.ReadAllBytes(PathOf("whole")), File.ReadAllBytes(PathOf("parts")));
        MaskedImages other = new(train.Pixels.ToArray(), [.. train.Masks.ToArray().Reverse()], train.Shape, 3, [0.3f], [0.3f], train.ClassNames);
        Assert.Contains("its training set", Assert.Throws<InvalidDataException>(() => Create(parts, "parts").Run(other)).Message, StringComparison.Ordinal);

        Trainer Create(Sequential net, string name) => new(net, new Adam(net.Parameters, 0.01f))
        {
            Epochs = 12,
            BatchSize = 16,
            Augmentation = new() { HorizontalFlip = true, CropPadding = 2 },
            Validation = validation,
            Loss = new CrossEntropyLoss(ClassWeights.Balanced(train)),
            Monitor = Metric.MeanIoU,
            BestModelPath = PathOf($"{name}.best"),
            CheckpointPath = PathOf(name),
            Resume = name is "parts",
        };
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Two_classes_take_one_logit_by_the_dice_loss_or_the_binary_one(bool isDice)
    {
        (MaskedImages train, MaskedImages test) = (Shapes(60, 1, 2), Shapes(24, 2, 2));
        Sequential net = Net(1);
        LabelLoss loss = isDice ? new DiceLoss() : new BceWithLogitsLoss([3]);
        new Trainer(net, new Adam(net.Parameters, 0.01f)) { Epochs = 10, BatchSize = 12, Loss = loss, Validation = test, Monitor = Metric.MeanIoU }.Run(train);
        Evaluation evaluation = Evaluation.Of(net, test, loss: loss);
        Assert.InRange(evaluation.MeanIoU, 0.9, 1);
        Assert.Equal(evaluation.Correct, Evaluation.Of(net, test).Correct);                   // by the binary cross-entropy
        new ImageSegmenter(net, test).Save(PathOf("binary"));
        ImageSegmenter model = ImageSegmenter.Load(PathOf("binary"));
        Tensor<float> x = test.Batches(3).First().Images, logits = net.Forward(x), shares = model.CreatePredictor().Predict(x);
        Assert.Equal([3, 2, 12, 16], shares.Lengths.ToArray());
        for (int i = 0; i < 192; i++)
        {
            double sigmoid = 1 / (1 + Math.Exp(-(double)logits[2, 0, i / 16, i % 16]));
            Assert.Equal(sigmoid, shares[2, 1, i / 16, i % 16], 1e-6);
            Assert.Equal(1, shares[2, 0, i / 16, i % 16] + shares[2, 1, i / 16, i % 16], 1e-6f);
        }
    }

    [Fact]
    public void Intersections_over_unions_are_those_that_a_hand_works_out()
    {
        // A pixel is read as itself: 0, 1 or 2.
        MaskedImages images = new([0, 0, 1, 2, 2, 2, 1, 0], [0, 0, 0, 1, 2, 2, 2, 255], new(1, 2, 2), 4, [0], [1 / 255f], ["ground", "a", "b", "none"]);
        Evaluation evaluation = Evaluation.Of(new PixelReader(), images, batchSize: 1);
        Assert.Equal(new long[,] { { 2, 1, 0, 0 }, { 0, 0, 1, 0 }, { 0, 1, 2, 0 }, { 0, 0, 0, 0 } }, evaluation.Confusion);
        Assert.Equal([2 / 3.0, 0, 2 / 4.0, double.NaN], Enumerable.Range(0, 4).Select(evaluation.IoU));
        Assert.Equal((2 / 3.0 + 0 + 2 / 4.0) / 3, evaluation.MeanIoU, 1e-15);
        Assert.Equal(evaluation.MeanIoU, Metric.MeanIoU.Value(evaluation));
        Assert.StartsWith(
            """
            true \ predicted            ground  a  b  none  pixels  precision  recall    F1   IoU
            ground                           2  1  0     0       3      100.0    66.7  80.0  66.7
            """.ReplaceLineEndings("\n"),
            evaluation.ToTable(), StringComparison.Ordinal);
        Assert.Contains("macro average of 3 classes                           7       55.6    44.4  48.9  38.9", evaluation.ToTable(), StringComparison.Ordinal);
        double right = Math.Log(3 + Math.E) - 1, wrong = Math.Log(3 + Math.E);
        Assert.Equal((4 * right + 3 * wrong) / 7, evaluation.Loss, 1e-6);
    }

    [Fact]
    public void Predictions_are_the_same_bits_on_many_threads()
    {
        MaskedImages images = Shapes(8, 3);
        MaskPredictor predictor = new ImageSegmenter(Net(3), images).CreatePredictor();
        Tensor<float>[] one = [.. images.Batches(1).Select(batch => predictor.Predict(batch.Images))];
        Parallel.For(0, 64, new() { MaxDegreeOfParallelism = 4 }, i =>
            Assert.True(one[i % 8].AsSpan().SequenceEqual(predictor.Predict(images.Batches(1).ElementAt(i % 8).Images).AsSpan())));
    }

    /// <summary>A model with outputs as bright as the photo: its mask shows the bright pixels of the photo, also of an enlarged one.</summary>
    [Fact]
    public void A_mask_has_its_photos_size_and_a_folder_of_masks_is_of_a_folder_of_photos()
    {
        Conv2d bright = new(1, 2, 1);
        float[] weights = [-1, 1, 0.4f, -0.4f];                                              // weights, biases: logit 1 is the larger one where x > 0.4
        weights[..2].CopyTo(bright.Weight.Value.AsSpan());
        weights[2..].CopyTo(bright.Bias!.Value.AsSpan());
        MaskPredictor predictor = new ImageSegmenter(bright, new(1, 4, 6), [0], [1], ["dark", "bright"]).CreatePredictor();
        Directory.CreateDirectory(PathOf("photos/below"));
        Picture columns = new(60, 52, channels: 1), rows = new(60, 52, channels: 1);         // 10 and 13 times the model's size
        for (int i = 0; i < columns.Pixels.Length; i++)
            (columns.Pixels[i], rows.Pixels[i]) = (i % 60 >= 30 ? (byte)204 : (byte)0, i / 60 >= 26 ? (byte)204 : (byte)0);      // 0.8: 0.4 is the middle
        columns.Save(PathOf("photos/a.png"));
        rows.ToRgb().Save(PathOf("photos/below/b.webp"));
        File.WriteAllText(PathOf("photos/c.jpg"), "no photo");

        Assert.Equal(columns.Pixels.Select(grey => (byte)(grey / 204)), predictor.Predict(columns).Pixels);
        List<(int, int)> told = [];
        SkippedFile skipped = Assert.Single(predictor.PredictFolder(PathOf("photos"), PathOf("masks"), progress: new Told(told.Add)));
        Assert.Equal("c.jpg", skipped.Name);
        Assert.Equal([(1, 3), (2, 3), (3, 3)], told);
        foreach ((string name, Picture photo) in ((string, Picture)[])[("a.png", columns), ("below/b.png", rows)])
            Assert.Equal(photo.Pixels.Select(grey => (byte)(grey / 204)), Picture.LoadMask(PathOf($"masks/{name}")).Pixels);
        Assert.Equal(2, Directory.GetFiles(PathOf("masks"), "*", SearchOption.AllDirectories).Length);

        // A net that makes NaN makes no mask.
        bright.Weight.Value[0, 0, 0, 0] = float.NaN;
        IReadOnlyList<SkippedFile> all = predictor.PredictFolder(PathOf("photos"), PathOf("none"));
        Assert.Equal(["a.png", "below/b.webp", "c.jpg"], all.Select(file => file.Name));
        Assert.StartsWith("the output of the network contains NaN or infinity", all[0].Reason, StringComparison.Ordinal);

        // No mask that somebody drew is lost.
        File.Delete(PathOf("masks/below/b.png"));
        Assert.Equal(
            $"{PathOf("masks/a.png")}: the mask already exists; resume: true keeps it and writes the missing ones, or use another folder",
            Assert.Throws<IOException>(() => predictor.PredictFolder(PathOf("photos"), PathOf("masks"))).Message);
        Assert.False(File.Exists(PathOf("masks/below/b.png")));
        byte[] kept = File.ReadAllBytes(PathOf("masks/a.png"));
        weights[..2].CopyTo(bright.Weight.Value.AsSpan());
        told.Clear();
        Assert.Equal("c.jpg", Assert.Single(predictor.PredictFolder(PathOf("photos"), PathOf("masks"), resume: true, new Told(told.Add))).Name);
        Assert.Equal([(1, 2), (2, 2)], told);
        Assert.Equal(kept, File.ReadAllBytes(PathOf("masks/a.png")));
        Assert.Equal(rows.Pixels.Select(grey => (byte)(grey / 204)), Picture.LoadMask(PathOf("masks/below/b.png")).Pixels);
    }

    sealed class Told(Action<(int, int)> action) : IProgress<(int Done, int Total)>
    {
        public void Report((int Done, int Total) value) => action(value);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        MaskedImages images = Shapes(3, 1), two = Shapes(3, 1, 2);
        Refused("images of 3 classes (ground, square, cross) need one logit per class, 3×12×16, but the output of the model for 1×12×16 is 2×12×16", () => Evaluation.Of(Net(2), images));
        Refused("the logits must have the images' size, 3×12×16, but the output of the model for 1×12×16 is 3×6×8: upsample as often as you pool; ",
            () => Evaluation.Of(new Sequential(new MaxPool2d(2), new Conv2d(1, 3, 1)), images));
        Refused("DiceLoss(smooth 1) takes one logit for 2 classes (ground, square), 1×12×16, but the output of the model for 1×12×16 is 2×12×16; for two logits use CrossEntropyLoss",
            () => Evaluation.Of(Net(2), two, loss: new DiceLoss()));
        Refused("DiceLoss(smooth 1) is for two classes, not 3: use CrossEntropyLoss, and 3 logits", () => Evaluation.Of(Net(1), images, loss: new DiceLoss()));
        Refused("CrossEntropyLoss() needs a logit for each of 2 classes (ground, square); for one logit use BceWithLogitsLoss",
            () => new Trainer(Net(1), new Sgd(Net(1).Parameters, 1)).Run(two));
        Refused("images with masks of 2 classes (ground, square) need 2×12×16, but the output of the model for 1×12×16 is 2 features",
            () => Evaluation.Of(new Sequential(new Flatten(), new Linear(192, 2)), two));
        Refused("the mask value 255 is the label -100 in a batch, but the loss has ignoreIndex 255: remove ignoreIndex",
            () => Evaluation.Of(Net(3), images, loss: new CrossEntropyLoss(ignoreIndex: 255)));
        MaskedImages halves = new(new byte[8], [0, 0, 255, 255, 0, 255, 0, 0], new(1, 2, 2), 2, classNames: ["ground", "cat"]);
        Refused("all pixels of the masks are 0, 'ground', or 255, ignored, so there is nothing to learn: if 255 means 'cat', write 1",
            () => new Trainer(new Conv2d(1, 2, 1), new Sgd(new Conv2d(1, 2, 1).Parameters, 1)).Run(halves));
        Refused("all pixels of the masks are 0, 'ground', or 255, ignored", () => ClassWeights.Balanced(halves));
        Refused($"{PathOf("b/masks")}: expected a folder of masks that is not the folder of pictures, {PathOf("b")}, and not inside or around it",
            () => new ImageSegmenter(Net(3), images).CreatePredictor().PredictFolder(PathOf("b"), PathOf("b/masks")));
        MaskedImages none = new(new byte[4], [255, 255, 255, 255], new(1, 2, 2), 4);
        Refused("no pixel of the 1 masks has a class: all are 255, which is ignored", () => Evaluation.Of(new PixelReader(), none));
        Refused("the output of the network for 1×12×16 is 2×12×16, but 3 classes need 3×12×16", () => new ImageSegmenter(Net(2), images));
        Refused("a mask has at most 255 classes, not 256",
            () => new ImageSegmenter(new Conv2d(1, 256, 1), new(1, 2, 2), [0], [1], [.. Enumerable.Range(0, 256).Select(i => $"{i}")]));

        Assert.Equal(
            $"{PathOf("none/a")}: the folder does not exist",
            Assert.Throws<DirectoryNotFoundException>(() => new ImageSegmenter(Net(3), images).Save(PathOf("none/a"))).Message);
        new ImageSegmenter(Net(3), images).Save(PathOf("a"));
        Assert.Equal(
            $"{PathOf("a")}: the output of the network for 1×12×16 is 3×12×16, but 3 classes need 3 features: use an ImageSegmenter",
            Assert.Throws<InvalidDataException>(() => ImageClassifier.Load(PathOf("a"))).Message);

        static void Refused(string message, Func<object> call) => Assert.StartsWith(message, Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);
    }

    sealed class PixelReader : CustomLayer
    {
        public override ImageShape OutputShape(ImageShape input) => input with { Channels = 4 };

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training)
        {
            Tensor<float> logits = Tensor.CreateFromShape<float>([x.Lengths[0], 4, 2, 2]);
            for (int i = 0; i < x.FlattenedLength; i++)
                logits[i / 4, (int)MathF.Round(x[i / 4, 0, i / 2 % 2, i % 2]), i / 2 % 2, i % 2] = 1;
            return logits;
        }

        protected override Tensor<float> BackwardCore(Tensor<float> dy) => throw new NotSupportedException();
    }
}

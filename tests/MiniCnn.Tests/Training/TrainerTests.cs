using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>The steps, the reports and the kept model of a trainer.</summary>
[Collection("Workers")]                                               // one test turns Workers.Count
public sealed class TrainerTests : SmallRuns
{
    [Fact]
    public void It_is_the_plain_loop()
    {
        Sequential model = Model(), plain = Model();
        Trainer trainer = new(model, new Sgd(model.Parameters, 0.1f, momentum: 0.9f))
        {
            Epochs = 2,
            BatchSize = 40,
            Seed = 3,
            Schedule = (step, steps) => 1 - step / 10f,
        };
        List<TrainingStep> steps = [];
        IReadOnlyList<TrainingEpoch> history = trainer.Run(digits, new Reports(steps.Add)).Epochs;

        CrossEntropyLoss loss = new();
        Sgd optimizer = new(plain.Parameters, 0, momentum: 0.9f);
        List<TrainingStep> expected = [];
        for (int epoch = 0; epoch < 2; epoch++)
        {
            double sum = 0;
            int right = 0;
            foreach ((Tensor<float> images, int[] labels) in digits.Batches(40, Trainer.EpochSeed(3, epoch)))
            {
                optimizer.LearningRate = 0.1f * (1 - expected.Count / 10f);
                Tensor<float> logits = plain.Forward(images, training: true);
                float value = loss.Forward(logits, labels);
                plain.Backward(loss.Backward());
                optimizer.Step();
                optimizer.ZeroGrad();
                int correct = logits.AsSpan().ToArray().Chunk(10).Zip(labels).Count(image => TensorPrimitives.IndexOfMax<float>(image.First) == image.Second);
                (sum, right) = (sum + loss.Sum, right + correct);
                TrainingEpoch? ended = expected.Count % 4 == 3 ? new(sum / 150, right / 150.0, optimizer.LearningRate) : null;
                expected.Add(new(epoch, 2, expected.Count + 1, 8, labels.Length, value, correct, labels.Length, ended));
            }
            Assert.Equal(expected[^1].Ended, history[epoch]);
        }
        Assert.Equal(expected, steps);
        Assert.Equal(plain.State, model.State);
    }

    [Fact]
    public void The_bits_are_the_same_on_any_number_of_threads()
    {
        byte[][] files = [.. new[] { 1, 2, 3 }.Select(threads => Threads.Of(threads, () =>
        {
            File.Delete(Path);
            File.Delete(Path + ".previous");
            Create(Model(), path: Path).Run(digits);
            return File.ReadAllBytes(Path);
        }))];
        Assert.Equal(files[0], files[1]);
        Assert.Equal(files[0], files[2]);
    }

    [Fact]
    public void A_schedule_is_a_factor_on_each_optimizers_own_rate()
    {
        Sequential model = Model();
        Sgd weights = new(model.Parameters.Where(p => p.Value.Rank > 1), 0.05f), others = new(model.Parameters.Where(p => p.Value.Rank == 1), 0.002f);
        Trainer trainer = new(model, weights, others) { Epochs = 2, BatchSize = 30, Schedule = (step, steps) => LearningRate.OneCycle(step, steps) };
        for (int run = 0; run < 2; run++)                                                // the second begins with the same rates
        {
            List<(float, float)> rates = [];
            trainer.Run(digits, new Reports(_ => rates.Add((weights.LearningRate, others.LearningRate))));
            Assert.Equal(Enumerable.Range(0, 10).Select(s => (0.05f * LearningRate.OneCycle(s, 10), 0.002f * LearningRate.OneCycle(s, 10))), rates);
            Assert.Equal((0.05f, 0.002f), rates[2]);
            Assert.Equal((0.05f, 0.002f), (weights.LearningRate, others.LearningRate));
        }
    }

    [Fact]
    public void Validation_images_of_other_classes_or_another_normalisation_are_refused()
    {
        Sequential model = Model();
        string[] names = [.. digits.ClassNames];
        Refused("class 3 is '3' in the training images, but 'a_3' in the validation images: both need the same", Named([.. names[..3], "a_3", .. names[4..]]));
        Refused("class 9 is '9' in the training images, but missing in the validation images", Named(names[..9]));
        Refused("class 0 is '0' in the training images, but '1' in the validation images", Named(["1", "0", .. names[2..]]));
        Refused(
            "the mean and std of the training images are [0.1307] and [0.3081], but those of the validation images are [0.1307] and [0.5]",
            others.WithNormalization([0.1307f], [0.5f]));
        Refused("but those of the validation images are [0.25] and [0.3081]", others.WithNormalization([0.25f], [0.3081f]));

        LabeledImages Named(string[] classNames) => new(new byte[784], [0], new(1, 28, 28), classNames.Length, classNames: classNames);

        void Refused(string why, LabeledImages validation)
        {
            Trainer trainer = new(model, new Sgd(model.Parameters, 0.1f)) { Validation = validation };
            Assert.Contains(why, Assert.Throws<ArgumentException>(() => trainer.Run(digits)).Message, StringComparison.Ordinal);
        }
    }

    /// <summary>With one class, every prediction is correct from the first epoch.</summary>
    [Fact]
    public void Images_of_one_class_are_refused()
    {
        LabeledImages one = new(new byte[4 * 6], [0, 0, 0, 0], new(1, 2, 3), 1, classNames: ["cat"]);
        LabeledImages two = new(new byte[4 * 6], [1, 1, 1, 1], new(1, 2, 3), 2, classNames: ["cat", "dog"]);
        Refused("all training images are of one class, 'cat'; training needs two", new Linear(6, 1), one);
        Refused("all training images are of one class, 'dog', and none of cat; training needs two", new Linear(6, 2), two);
        MaskedImages ground = new(new byte[8 * 6], new byte[8 * 6], new(1, 2, 3), 2, classNames: ["ground", "cat"]);
        Refused("all training images are of one class, 'ground', and none of cat", new Conv2d(1, 2, 1), ground);

        static void Refused(string why, Layer last, ImageDataset images)
        {
            Layer net = last is Linear ? new Sequential(new Flatten(), last) : last;
            string message = Assert.Throws<ArgumentException>(() => new Trainer(net, new Sgd(net.Parameters, 0.1f)).Run(images)).Message;
            Assert.StartsWith(why, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Settings_that_lack_something_are_refused()
    {
        Sequential model = Model();
        Sgd sgd = new(model.Parameters, 0.1f);
        foreach ((string needs, Trainer lacking) in ((string, Trainer)[])[
            ("KeepBest", new(model, sgd) { KeepBest = true }), ("Patience", new(model, sgd) { Patience = 2 }),
            ("Monitor", new(model, sgd) { Monitor = Metric.Accuracy }), ("ReduceOnPlateau", new(model, sgd) { ReduceOnPlateau = new() }),
            ("BestModelPath", new(model, sgd) { BestModelPath = Path })])
        {
            string why = Assert.Throws<ArgumentException>(() => lacking.Run(digits)).Message;
            Assert.StartsWith($"{needs} needs Validation images", why, StringComparison.Ordinal);
        }
        Assert.Contains("needs a CheckpointPath", Assert.Throws<ArgumentException>(() => new Trainer(model, sgd) { Resume = true }.Run(digits)).Message);
        Assert.Contains("needs an optimizer", Assert.Throws<ArgumentException>(() => new Trainer(model).Run(digits)).Message);
        foreach (float rate in (float[])[0, float.NaN, -1])
        {
            Sgd still = new(model.Parameters, 0) { LearningRate = rate };
            string why = Assert.Throws<ArgumentException>(() => new Trainer(model, sgd, still) { Schedule = (_, _) => 1 }.Run(digits)).Message;
            Assert.StartsWith($"the learning rate of Sgd is {rate}, but it must be above 0", why, StringComparison.Ordinal);
        }
        Assert.Throws<ArgumentNullException>(() => new Trainer(null!, sgd));
        LabeledImages of3 = new(new byte[784], [0], new(1, 28, 28), classes: 3);
        Assert.Contains("one logit per class", Assert.Throws<ArgumentException>(() => new Trainer(model, sgd).Run(of3)).Message);
        Trainer endless = new(model, sgd) { Epochs = int.MaxValue };
        Assert.Contains("more than 2147483647 steps", Assert.Throws<ArgumentException>(() => endless.Run(digits)).Message);
        Trainer nowhere = new(model, sgd) { CheckpointPath = System.IO.Path.Combine(folder, "no", "where") };
        Assert.Contains("the folder does not exist", Assert.Throws<DirectoryNotFoundException>(() => nowhere.Run(digits)).Message);
        Trainer one = new(model, sgd) { Validation = others, BestModelPath = Path, CheckpointPath = Path };
        Assert.Contains("are the same file", Assert.Throws<ArgumentException>(() => one.Run(digits)).Message);
        nowhere = new(model, sgd) { Validation = others, BestModelPath = System.IO.Path.Combine(folder, "no", "where") };
        Assert.Contains("the folder does not exist", Assert.Throws<DirectoryNotFoundException>(() => nowhere.Run(digits)).Message);
        Assert.Contains("no images", Assert.Throws<ArgumentException>(() => new Trainer(model, sgd).Run(digits.Take(0))).Message);
        Assert.Equal("Epochs", Assert.Throws<ArgumentOutOfRangeException>(() => new Trainer(model, sgd) { Epochs = 0 }).ParamName);
        Assert.Equal("BatchSize", Assert.Throws<ArgumentOutOfRangeException>(() => new Trainer(model, sgd) { BatchSize = 0 }).ParamName);
        Assert.Equal("Patience", Assert.Throws<ArgumentOutOfRangeException>(() => new Trainer(model, sgd) { Patience = 0 }).ParamName);
    }
}

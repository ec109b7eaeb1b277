using System.Numerics.Tensors;
using System.Xml.Linq;
using MiniCnn.Imaging;
using MiniCnn.Reports;

namespace MiniCnn.Tests;

/// <summary>Reports of uncommon nets, images and names.</summary>
public sealed class ReportNetsTests : ReportRuns
{
    public static TheoryData<string> Nets =>
    [
        "no Sequential", "a residual block alone", "branches alone", "Linear only", "one logit", "2 channels", "4 channels", "1×1 images",
        "one photo with its mask", "one row", "wide kernels", "nothing after the maps", "batches of one", "a model in a model", "twelve convolutions",
    ];

    [Theory]
    [MemberData(nameof(Nets))]
    public void Any_net_has_its_page(string kind)
    {
        (Layer net, ImageDataset images, string[] sections) = Of(kind);
        Trainer trainer = new(net, new Sgd(net.Parameters, 0.01f))
        {
            Epochs = 2,
            BatchSize = kind is "batches of one" ? 1 : 8,
            Validation = images,
            Loss = kind is "one logit" ? new BceWithLogitsLoss() : new CrossEntropyLoss(),
        };
        RunReport report = Report(trainer, images, _ => clock.Milliseconds += 30_000);
        trainer.Run(images, report);
        Evaluation scores = report.Score("test", images);
        ReportPage page = Page();
        Assert.Equal(
            ["curves", "epochs", "set-0", "set-1", "data", .. sections, "run"], page.Sections.Select(ReportPage.Id));
        Assert.All(page.Main.Descendants("section"), section => Assert.True(section.Elements().Count() > 1, $"{section}"));
        XElement[] figures = [.. page.Set("Test").Descendants("figure")];
        Assert.NotEmpty(figures);
        bool hasGradCam = kind is not ("no Sequential" or "Linear only" or "1×1 images" or "nothing after the maps") && images is not MaskedImages;
        Assert.All(figures, figure => Assert.Equal(images is MaskedImages || hasGradCam ? 3 : 2, figure.Elements("img").Count()));
        Assert.All(page.Main.Descendants("img"), image =>
        {
            Picture picture = Picture.Load(new MemoryStream(Convert.FromBase64String(image.Attribute("src")!.Value.Split(',')[1])));
            (int width, int height) = ((int)image.Attribute("width")!, (int)image.Attribute("height")!);
            int cell = ReportPage.Class(image) == "cells" ? width / picture.Width : 1;                        // small ones are enlarged by the browser
            Assert.Equal((cell * picture.Width, cell * picture.Height), (width, height));
        });
        bool isTaken = ReportPage.Captions(page.Set("Test")).Any(caption => caption.Contains(", predicted as ", StringComparison.Ordinal));
        Assert.Equal(images is LabeledImages && scores.Count > scores.Correct, isTaken);
    }

    static (Layer Net, ImageDataset Images, string[] Sections) Of(string kind)
    {
        LabeledImages images = Draw(12, seed: 5);
        byte[] masks = [.. Enumerable.Range(0, 12 * 140).Select(i => (byte)(i % 7 % 3))];
        MaskedImages masked = new([.. Enumerable.Range(0, 12).SelectMany(i => images.Image(i).ToArray())], masks, small, 3);
        string[] both = ["kernels", "maps"];
        IEnumerable<Layer> twelve = Enumerable.Range(0, 12).Select(_ => new Conv2d(3, 3, 3, padding: 1));
        return kind switch
        {
            "no Sequential" => (new Averages(3), images, []),
            "a residual block alone" => (new Residual(new Conv2d(3, 3, 3, padding: 1)), masked, ["kernels"]),
            "branches alone" => (new Concat(new Conv2d(3, 2, 1), new Conv2d(3, 1, 3, padding: 1)), masked, ["kernels"]),
            "Linear only" => (new Sequential(new Flatten(), new Linear(3 * 140, 3)), images, []),
            "one logit" => (new Sequential(new Conv2d(3, 2, 3), new ReLU(), new Flatten(), new Linear(2 * 8 * 12, 1)), Draw(12, 6, classes: 2), both),
            "2 channels" => (Net(new(2, 5, 9)), Draw(12, 7, new(2, 5, 9)), both),
            "4 channels" => (Net(new(4, 5, 9)), Draw(12, 7, new(4, 5, 9)), both),
            "1×1 images" => (Net(new(3, 1, 1)), Draw(12, 7, new(3, 1, 1)), ["kernels"]),
            "one photo with its mask" => (new Sequential(new Conv2d(3, 4, 3, padding: 1), new ReLU(), new Conv2d(4, 3, 1)), masked.Take(1), both),
            "one row" => (Net(new(1, 1, 300)), Draw(12, 7, new(1, 1, 300)), both),
            "wide kernels" => (new Sequential(new Conv2d(3, 4, new(1, 9)), new ReLU(), new Flatten(), new Linear(4 * 10 * 6, 3)), images, both),
            "nothing after the maps" => (new Sequential(new Conv2d(3, 3, 3, padding: 1)), masked, both),
            "batches of one" => (Net(small), images, both),
            "a model in a model" => (new Sequential(new Sequential(new Conv2d(3, 4, 3), new ReLU()), new Flatten(), new Linear(4 * 8 * 12, 3)), images, both),
            _ => (new Sequential([.. twelve, new Flatten(), new Linear(3 * 140, 3)]), images, ["kernels"]),
        };

        static Sequential Net(ImageShape shape) =>
            new(new Conv2d(shape.Channels, 2, 1), new ReLU(), new Flatten(), new Linear(2 * shape.Height * shape.Width, 3));
    }

    /// <summary>The maps are drawn in evaluation.</summary>
    [Fact]
    public void What_throws_in_evaluation_is_said_and_the_training_goes_on()
    {
        LabeledImages train = Draw(20, seed: 1);
        Uneven thrower = new(_ => throw new InvalidOperationException("not <b>here</b>"));
        Sequential net = new(new Conv2d(3, 2, 3), thrower, new Flatten(), new Linear(2 * 8 * 12, 3));
        Trainer trainer = new(net, new Sgd(net.Parameters, 0.01f)) { Epochs = 3, BatchSize = 10 };
        int pages = 0;
        RunReport report = Report(trainer, train, _ => clock.Milliseconds += 30_000);
        TrainingResult result = trainer.Run(train, new Watched(
            step =>
            {
                Assert.Equal(step.Step > 1, Page(drawn: step.Step == 1).Section("maps") is not null);
                pages++;
            }, report));
        Assert.Equal((6, 3), (pages, result.Epochs.Count));
        ReportPage page = Page(drawn: false);
        Assert.Equal(["Feature maps", "This section could not be drawn: not <b>here</b>"], page.Section("maps")!.Elements().Select(element => element.Value));
        Assert.Equal(2, page.Text.Split("could not be drawn").Length);                    // the rest is
        Assert.Equal(["curves", "epochs", "data", "kernels", "maps", "run"], page.Sections.Select(ReportPage.Id));
        Assert.Throws<InvalidOperationException>(() => report.Score("test", train));     // that is the caller's to know
        Assert.Equal(page.Text, Page(drawn: false).Text);
    }

    /// <summary>A monitor that is NaN: no epoch is the best. A validation loss that is: the run ends.</summary>
    [Fact]
    public void What_is_NaN_is_no_best_epoch_and_no_point_of_a_chart()
    {
        LabeledImages train = Draw(20, seed: 1);
        Sequential net = Model();
        Metric nothing = new("luck", _ => double.NaN, higherIsBetter: true);
        Trainer trainer = new(net, new Sgd(net.Parameters, 0.01f)) { Epochs = 3, BatchSize = 10, Validation = train, Monitor = nothing };
        trainer.Run(train, Report(trainer, train));
        ReportPage page = Page();
        Assert.Equal("All 3 epochs done.", page.State);
        Assert.Equal(["luck", "NaN", "NaN", "NaN"], page.Table("epochs").Select(row => row[5]));
        Assert.DoesNotContain("best", page.Section("epochs")!.Value, StringComparison.Ordinal);
        Assert.DoesNotContain(page.Main.Descendants("strong"), title => title.Value == "Luck");
        Assert.Equal(N(Evaluation.Of(net, train).Loss), page.Cards["validation loss"]);

        net = new(new Conv2d(3, 2, 3), new Uneven(x => x * float.NaN), new Flatten(), new Linear(2 * 8 * 12, 3));
        trainer = new(net, new Sgd(net.Parameters, 0.01f)) { Epochs = 3, BatchSize = 10, Validation = train };
        RunReport report = Report(trainer, train);
        Assert.Throws<NotFiniteNumberException>(() => trainer.Run(train, report));
        Assert.StartsWith("Ended in epoch 1 of 3, after step 1 of 6: NaN or infinity in the validation loss", Page().State, StringComparison.Ordinal);
        Evaluation scores = report.Score("test", train);
        page = Page();
        Assert.True(double.IsNaN(scores.Loss));
        Assert.Equal(6, scores.Correct);
        Assert.Equal(12, ReportPage.Captions(page.Set("Test")).Count(caption => caption.Contains(", predicted as 0", StringComparison.Ordinal)));
        Assert.Single(ReportPage.Captions(page.Set("Test")), caption => caption.StartsWith("0, ", StringComparison.Ordinal));
    }

    /// <summary>No name is taken for markup, and none makes the page unreadable.</summary>
    [Fact]
    public void Names_are_texts_whatever_is_in_them()
    {
        string[] names = ["</main><script>alert(1)</script>", "\" onload=\"alert(2)\" x=\"", "&lt;&amp;'`${alert(3)}\u0001\u0085\ud800\ufffe\uffff\r\0🙂<!--"];
        string[] readable = [names[0], names[1], "&lt;&amp;'`${alert(3)}\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd🙂<!--"];
        LabeledImages train = Draw(42, seed: 1, names: names), other = Draw(20, seed: 2, names: names);
        string[] files = [.. Enumerable.Range(0, 42).Select(i => $"{names[i % 3]}/{i}")];
        LoadedSplits photos = new(new(train, files, [new(names[2], names[0], names[1])], 42), null, null);
        Sequential net = new(new Conv2d(3, 2, 3), new Uneven(x => x, names[2]), new Flatten(), new Linear(2 * 8 * 12, 3));
        Trainer trainer = new(net, new Sgd(net.Parameters, 0.01f))
        {
            Epochs = 2,
            BatchSize = 10,
            Validation = other,
            Monitor = new(names[0], _ => 0.5, true),
        };
        RunReport report = new(Path, trainer, photos) { Title = names[2] };
        TrainingResult result = trainer.Run(train, report);
        report.Score(names[2], train);
        Check();
        ReportPage page = Page();
        Assert.Equal($"done · {readable[2]}", page.Title);
        Assert.Equal(readable[2], page.Main.Element("h1")!.Value);
        Assert.Equal(readable, page.Table("data").Skip(1).Select(row => row[0]));
        Assert.Equal(readable[2], page.Table("data")[0][3]);
        Assert.Equal([readable[2], readable[1], readable[0]], page.Table("data", 1)[1]);
        Assert.Equal(readable[0], page.Table("epochs")[0][5]);
        Assert.Contains($"; best: epoch {result.BestEpoch + 1}, {readable[0]} 0.5000", page.State, StringComparison.Ordinal);
        Assert.Equal(["true \\ predicted", .. readable], ReportPage.Table(page.Set(readable[2]))[0]);
        Assert.Contains(page.Set(readable[2]).Descendants("span"), file => file.Value.StartsWith(readable[2], StringComparison.Ordinal));
        Assert.Contains(ReportPage.Captions(page.Section("maps")!), caption => caption == $"layer 1, {readable[2]}: 2 maps of 8×12");
        Assert.Contains(readable[2], page.Section("run")!.Element("pre")!.Value, StringComparison.Ordinal);
        Assert.Equal(readable[0], page.Chart(readable[0]).Element("svg")!.Attribute("aria-label")!.Value.Split(':')[0]);

        MaskedImages masked = new(new byte[2 * 420], [.. Enumerable.Range(0, 280).Select(i => (byte)(i % 3))], small, 3, classNames: names);
        Conv2d segmenter = new(3, 3, 1);
        trainer = new(segmenter, new Sgd(segmenter.Parameters, 0.01f)) { Epochs = 2 };
        report = Report(trainer, masked, step => { if (step.Step == 2) throw new InvalidOperationException(names[2]); });
        Assert.Throws<InvalidOperationException>(() => trainer.Run(masked, report));
        report.Score("", masked);
        Check();
        Assert.Equal($"Ended in epoch 1 of 2, after step 1 of 2: {readable[2]}.", Page().State);
        Assert.Equal(readable[1..], Page().Set(" ").Descendants("span").Where(key => ReportPage.Class(key) == "key").Select(key => key.Value));

        void Check()
        {
            ReportPage page = Page();
            Assert.Equal(2, page.Text.Split("<script").Length);       // the page's own
            Assert.DoesNotContain("<!--", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(page.Text, c => char.IsControl(c) && c is not ('\n' or '\t') || c is '\ufffe' or '\uffff');
            string[] attributes = [.. page.Main.DescendantsAndSelf().Attributes().Select(attribute => attribute.Name.LocalName)];
            Assert.DoesNotContain(attributes, name => name.StartsWith("on", StringComparison.Ordinal));
        }
    }

    /// <summary>The mean of each third of an image's numbers as its logit: a network that is no <see cref="Sequential"/>.</summary>
    sealed class Averages(int classes) : CustomLayer
    {
        nint[] shape = [];

        public override ImageShape OutputShape(ImageShape input) => ImageShape.Features(classes);

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training)
        {
            shape = [.. x.Lengths];
            int part = (int)(x.FlattenedLength / x.Lengths[0]) / classes;
            return Tensor.Create([.. x.AsSpan().ToArray().Chunk(part).Select(numbers => numbers.Average())], [x.Lengths[0], classes]);
        }

        protected override Tensor<float> BackwardCore(Tensor<float> dy)
        {
            int part = (int)(shape[1] * shape[2] * shape[3]) / classes;
            return Tensor.Create([.. dy.AsSpan().ToArray().SelectMany(value => Enumerable.Repeat(value / part, part))], shape);
        }
    }

    /// <summary>Itself in training, in evaluation something else.</summary>
    sealed class Uneven(Func<Tensor<float>, Tensor<float>> evaluation, string name = "Uneven") : CustomLayer
    {
        public override ImageShape OutputShape(ImageShape input) => input;

        public override string ToString() => name;

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training) => training ? x : evaluation(x);

        protected override Tensor<float> BackwardCore(Tensor<float> dy) => dy;
    }
}

using Microsoft.Playwright;
using MiniCnn.Imaging;
using MiniCnn.Reports;
using MiniCnn.Tests;

namespace MiniCnn.BrowserTests;

/// <summary>The README's pictures of pages. MINICNN_UPDATE_README=1 writes them anew.</summary>
[Collection(nameof(Browser))]
public sealed class ReadmePictureTests(Browser browser)
{
    const int MostBytes = 200_000;

    [Fact]
    public async Task A_report_fits_a_window_and_a_phone()
    {
        string path = Make();
        await using Visit desk = await browser.Open(path, new() { ViewportSize = new() { Width = 1280, Height = 900 }, ColorScheme = ColorScheme.Light });
        LocatorBoundingBoxResult fourth = (await desk.Page.Locator(".chart").Nth(3).BoundingBoxAsync())!;
        Clip upper = new() { Width = 1280, Height = fourth.Y + fourth.Height + 16 };
        await Write("src/MiniCnn.Reports/report-light.png", await desk.Page.ScreenshotAsync(new() { FullPage = true, Clip = upper }));

        await using Visit phone = await browser.Open(path, new() { ViewportSize = new() { Width = 390, Height = 844 }, ColorScheme = ColorScheme.Dark });
        await phone.Page.Locator("#set-0 h3").First.EvaluateAsync("heading => scrollTo(0, heading.getBoundingClientRect().top - 12)");
        await Write("src/MiniCnn.Reports/report-phone.png", await phone.Page.ScreenshotAsync());
    }

    [Fact]
    public async Task A_window_slides()
    {
        await using Visit visit = await browser.Open(StepByStepTests.Write(browser), new() { ViewportSize = new() { Width = 880, Height = 900 } });
        ILocator figure = visit.Page.Locator("#windows .step").First;
        await figure.Locator("input").Nth(7).CheckAsync();
        await Write("examples/StepByStep/window.png", await figure.ScreenshotAsync());
    }

    /// <summary>Figures of examples/StepByStep, without their text: the page that shows them has its own.</summary>
    [Theory]
    [InlineData("Windows.Slide", "forward", 4)]
    [InlineData("Windows.ZeroPadding", "padding", 0)]
    [InlineData("Windows.Stride", "stride", 5)]
    [InlineData("Windows.Dilation", "dilation", 5)]
    [InlineData("MatrixProduct.Drawn", "matrix", 0)]
    [InlineData("Backward.Feeds", "feeds", 1)]
    [InlineData("Backward.Dx", "dx", 0)]
    [InlineData("Backward.DxOfStride", "dx-stride", 0)]
    [InlineData("Backward.Dw", "dw", 0)]
    [InlineData("Backward.Db", "db", 0)]
    public async Task A_figure_is_drawn_for_the_documents(string function, string name, int frame)
    {
        await using Visit visit = await browser.Open(StepByStepTests.Write(browser), new() { ViewportSize = new() { Width = 1040, Height = 900 } });
        ILocator figure = visit.Page.Locator($"article:has(summary:text-is('code: {function}'))");
        if (frame > 0)
            await figure.Locator("input").Nth(frame).CheckAsync();
        await visit.Page.AddStyleTagAsync(new()
        {
            Content = ".step { margin: 0; padding: 1px 8px; width: max-content; max-width: 100%; }"
                + ".step > h3, .step > p:not(.formula), .step > details, .frames legend, .choices { display: none !important; } .frames { border: none; padding: 0; }",
        });
        byte[] png = await figure.ScreenshotAsync();
        Assert.InRange(png.Length, 1, 100_000);
        await Write($"docs/images/{name}.png", png);
    }

    /// <summary>A report on photos of surfaces, as the README of MiniCnn.Reports trains on.</summary>
    string Make()
    {
        string path = browser.Runs.PathOf("surfaces"), folder = Path.ChangeExtension(path, null);
        SurfacePhotos.Draw(folder, dents: 60, scratches: 200, whole: 500, seed: 4);
        LoadedSplits photos = new ImageSplits(folder, validation: 0.25, test: 0).Load(32, 32, channels: 1);
        LabeledImages train = photos.Train.Images;
        Sequential network = new(
            new Conv2d(1, 8, 3, padding: 1, bias: false), new BatchNorm2d(8), new ReLU(), new MaxPool2d(2),
            new Conv2d(8, 16, 3, padding: 1, bias: false), new BatchNorm2d(16), new ReLU(), new MaxPool2d(2),
            new Conv2d(16, 32, 3, padding: 1, bias: false), new BatchNorm2d(32), new ReLU(),
            new AdaptiveAvgPool2d(1), new Flatten(), new Linear(32, train.Classes));
        network.Initialize(seed: 0);
        Trainer trainer = new(network, new Sgd(network.Parameters, learningRate: 0.05f, momentum: 0.9f))
        {
            Epochs = 12,
            BatchSize = 32,
            Loss = new CrossEntropyLoss(ClassWeights.Balanced(train)),
            Schedule = (step, steps) => LearningRate.OneCycle(step, steps),
            Augmentation = new() { HorizontalFlip = true, VerticalFlip = true, QuarterTurns = true },
            Validation = photos.Validation!.Images,
            Monitor = Metric.MacroRecall,
            KeepBest = true,
        };
        trainer.Run(train, new RunReport(path, trainer, photos) { Title = "Surfaces" });
        return path;
    }

    static async Task Write(string name, byte[] png)
    {
        Assert.InRange(png.Length, 1, MostBytes);
        if (Environment.GetEnvironmentVariable("MINICNN_UPDATE_README") == "1")
            await File.WriteAllBytesAsync(Path.Combine(Repository.Root, name), png);
    }
}

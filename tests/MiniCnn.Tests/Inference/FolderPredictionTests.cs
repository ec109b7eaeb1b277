using System.Globalization;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class FolderPredictionTests : PhotoFolderTests
{
    static Predictor Net(string[]? classNames = null)
    {
        Sequential net = new(new Conv2d(3, 4, 3), new ReLU(), new Flatten(), new Linear(4 * 3 * 4, 2));
        net.Initialize(2);
        return new ImageClassifier(net, new(3, 5, 6), [0.4f, 0.5f, 0.6f], [0.25f, 0.25f, 0.25f], classNames ?? ["a", "b"], Fit.Letterbox).CreatePredictor();
    }

    [Fact]
    public void Each_file_has_its_prediction_or_the_reason_in_order()
    {
        Predictor predictor = Net();
        for (int i = 0; i < 60; i++)
            Photo($"{i % 7}/{i}.png", (byte)(4 * i), (byte)(255 - 3 * i), width: 3 + i % 5 * (i % 11 == 0 ? 100 : 1));
        Photo("Z");
        Photo("0/0.png", width: 2000, height: 1500);                    // takes longest, and comes first
        Other("x.jpg");
        Other("3/.hidden.jpg");
        Other("a, \"b\".txt", "");
        Reports reports = new();
        FilePrediction[] files = [.. predictor.PredictFolder(root, reports)];
        Assert.Equal(63, files.Length);
        Assert.Equal(Enumerable.Range(1, 63).Select(i => (i, 63)), reports.All);
        Assert.Equal(files.Select(file => file.Name).Order(StringComparer.Ordinal), files.Select(file => file.Name));
        Assert.Equal(["a, \"b\".txt", "x.jpg"], files.Where(file => file.Prediction is null).Select(file => file.Name));
        Assert.Equal("empty", files.Single(file => file.Name.StartsWith('a')).Reason);
        foreach (FilePrediction file in files.Where(file => file.Reason is null))
            Assert.Equal(predictor.Predict(Picture.Load(At(file.Name))).Probabilities, file.Prediction!.Probabilities);
        Assert.True(files.Select(file => file.Prediction?.Probability).Distinct().Count() > 30);
    }

    [Fact]
    public void Each_enumeration_predicts_again_and_an_exception_comes_as_it_is()
    {
        Photos("1.png", "2.png", "3.png");
        Reports reports = new();
        IEnumerable<FilePrediction> files = Net().PredictFolder(root, reports);
        Assert.Equal(files.Select(file => file.Prediction!.Probability), files.Select(file => file.Prediction!.Probability));
        Assert.Equal([(1, 3), (2, 3), (3, 3), (1, 3), (2, 3), (3, 3)], reports.All);
        Reports failing = new(() => throw new InvalidOperationException("full"));
        Assert.Equal("full", Assert.Throws<InvalidOperationException>(() => Net().PredictFolder(root, failing).Count()).Message);
        Assert.Equal("full", Assert.Throws<InvalidOperationException>(() => ImageFolder.FromNames(root, name => "a").Load(2, 2, progress: failing)).Message);
    }

    [Fact]
    public void It_comes_as_it_is_asked_for_and_can_be_ended()
    {
        for (int i = 0; i < 300; i++)
            Photo($"{i}.png");
        Predictor predictor = Net();
        Assert.Equal(3, predictor.PredictFolder(root).Take(3).Count());
        using CancellationTokenSource source = new();
        int seen = 0;
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            foreach (FilePrediction _ in predictor.PredictFolder(root, cancellationToken: source.Token))
            {
                seen++;
                source.Cancel();
            }
        });
        Assert.InRange(seen, 1, 299);
        Assert.Throws<DirectoryNotFoundException>(() => predictor.PredictFolder(At("none")));
        Directory.CreateDirectory(At("empty"));
        Assert.Equal($"{At("empty")}: the folder has no files", Assert.Throws<InvalidDataException>(() => predictor.PredictFolder(At("empty"))).Message);
    }

    [Fact]
    public void A_line_of_CSV_is_quoted_where_it_must_be_and_has_a_point_in_numbers()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new("") { NumberFormat = new() { NumberDecimalSeparator = "," } };
            Prediction prediction = new(1, "big \"dog\"", 0.75f, [0.25f, 0.75f]);
            Assert.Equal("\"a, b/1.jpg\",\"big \"\"dog\"\"\",0.75,", new FilePrediction("a, b/1.jpg", prediction, null).ToCsv());
            Assert.Equal("\"2\n.jpg\",,,\"no picture, but a web page\"", new FilePrediction("2\n.jpg", null, "no picture, but a web page").ToCsv());
            Assert.Equal("3.jpg,cat,1E-05,", new FilePrediction("3.jpg", prediction with { ClassName = "cat", Probability = 1e-5f }, null).ToCsv());
            Assert.Equal("file,class,probability,reason", FilePrediction.CsvHeader);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}

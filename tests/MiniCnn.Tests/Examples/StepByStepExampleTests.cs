using System.Xml.Linq;
using MiniCnn.Examples.StepByStep;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>The page of examples/StepByStep: its numbers equal those of the documents, and it shows its own code.</summary>
public sealed class StepByStepExampleTests
{
    static readonly Materials materials = new(
        Picture.Load(PageStep.Resource("photo.jpg")), "a cat", (0.362, 0.388),
        DrawnDigits.Draw(1500, seed: 1), DrawnDigits.Draw(500, seed: 2), "drawn digits", Seeds: 2);

    static readonly Lazy<string> page = new(() => Lesson.Write(materials, _ => { }));

    static PageStep[] Steps => [.. Lesson.Sections.SelectMany(section => section.Steps)];

    /// <summary>The numbers that are printed in the article and the lecture.</summary>
    [Fact]
    public void The_documents_own_numbers()
    {
        Assert.Equal("1 2 4 2 1; 4 7 3 2 1; 4 5 2 3 1; 2 1 7 8 4; 3 2 4 7 8", Grid(Windows.Slide(), "X"));
        Assert.Equal("1 0 1; 0 2 1; 1 0 1", Grid(Windows.Slide(), "K"));
        Assert.Equal("28 20 13; 28 25 22; 22 39 35", Grid(Windows.Slide(), "Y"));
        string[] sums = [.. Text(Windows.Slide()).Where(text => text.Contains('·', StringComparison.Ordinal))];
        Assert.Equal("1·1 + 2·0 + 4·1 + 4·0 + 7·2 + 3·1 + 4·1 + 5·0 + 2·1 = 28", sums[0]);
        Assert.Equal("5·1 + 2·0 + 3·1 + 1·0 + 7·2 + 8·1 + 2·1 + 4·0 + 7·1 = 39", sums[7]);
        Assert.Equal("3.1111 2.2222 1.4444; 3.1111 2.7778 2.4444; 2.4444 4.3333 3.8889", Grid(Windows.OverNine(), "means"));
        Assert.Equal("28 20 13; 28 25 22; 22 39 35", Grid(MatrixProduct.Drawn(), "M·x"));
        Assert.Equal("28 20 13; 28 25 22; 22 39 35", Grid(MatrixProduct.Loop(), "Y by four loops"));

        XElement[] padding = [.. Grids(Windows.ZeroPadding())];
        Assert.Equal(["X with a border of zeros, 7×7", "K, 3×3", "Y, 5×5"], padding.Select(grid => Label(grid).Split(':')[0]));
        Assert.All([Windows.Stride(), Windows.Dilation()], figure => Assert.StartsWith("Y, 3×3: ", Label(Grids(figure).Last()), StringComparison.Ordinal));

        string[][] sizes = Table(Windows.Sizes());
        foreach ((string n, string k, string size) in ((string, string, string)[])[
            ("5", "3", "3"), ("224", "3", "222"), ("224", "5", "220"), ("459", "5", "230"), ("612", "5", "306")])
            Assert.Contains(sizes, row => row[0] == n && row[1] == k && row[5..].All(cell => cell == size));
        Assert.Equal(["455×608", "457×610", "459×612", "230×306"], Table(Filters.LectureSizes(materials)).Skip(1).Select(row => row[3]));
        Assert.Contains("⌊(459 + 2·2 − 5) / 2 + 1⌋ = 230", Table(Filters.LectureSizes(materials))[4]);
        Assert.Equal(["459×612", "455×608"], Captions(Filters.Box(materials)).Take(2).Select(caption => caption.Split(", ")[1]));
        Assert.Contains("457×610", Filters.Prewitt(materials).Text, StringComparison.Ordinal);
        Assert.Contains("222×222", string.Concat(Captions(Filters.Sharpen(materials))), StringComparison.Ordinal);
        XElement[] corners = [.. Grids(Windows.HalfTheKernel(materials))];
        Assert.Contains("226×226", Label(corners[0]), StringComparison.Ordinal);
        Assert.Contains("228×228", Label(corners[1]), StringComparison.Ordinal);
        Assert.Matches(@": 0 0 0 0 0 0; 0 [1-9]", Label(corners[0]));
        Assert.Matches(@": 0 0 0 0 0 0; 0 0 0 0 0 0; 0 0 [1-9]", Label(corners[1]));

        Assert.Equal("250 128 178", Grid(Pixels.OneColour(), "0 to 255"));
        Assert.Equal("0.9804 0.502 0.698", Grid(Pixels.OneColour(), "0 to 1"));
        Assert.Equal("0 −1 0; −1 5 −1; 0 −1 0", Grid(Filters.Sharpen(materials), "sharpen"));
        Assert.Equal("0.0625 0.125 0.0625; 0.125 0.25 0.125; 0.0625 0.125 0.0625", Grid(Filters.Gaussian(materials), "Gaussian"));
        Assert.Equal("−1 −1 −1; −1 8 −1; −1 −1 −1", Grid(Filters.Outline(materials), "outline"));
        Assert.Equal("1 1 1; 0 0 0; −1 −1 −1", Grid(Filters.Prewitt(materials), "Prewitt, horizontal"));
    }

    /// <summary>Computed by hand from the lecture's table and kernel.</summary>
    [Fact]
    public void Stride_dilation_and_padding_by_hand()
    {
        Assert.Equal("19 25 22; 21 15 12; 23 9 9", Grid(Windows.Stride(), "Y"));
        Assert.Equal("19 24 22; 14 14 13; 19 27 14", Grid(Windows.Dilation(), "Y"));
        Assert.Equal("1 −2 1 −2 0; 3 3 −1 −1 −1; 1 6 7 −1 0; 3 1 6 5 0; 0 2 1 2 1", Grid(Backward.Dx(), "sliding"));
        Assert.Equal("5", Grid(Backward.Db(), "db by the layer"));
        foreach ((Figure figure, string one, string other) in ((Figure, string, string)[])[
            (Backward.Dx(), "sliding", "dx by the layer"), (Backward.DxOfStride(), "sliding", "dx by the layer"), (Backward.Dw(), "sliding", "dw by the layer"),
            (MatrixProduct.Transposed(), "Mᵀ·dy", "dx by the layer"), (MatrixProduct.Drawn(), "M·x", "Y by the layer")])
            Assert.Equal(Grid(figure, one), Grid(figure, other));
        Assert.All(Table(Backward.Quotient()).Skip(1), row => Assert.Equal(row[3], row[4]));
        Assert.All(Table(Windows.Sizes()).Skip(1), row => Assert.True(row[5] == row[6] && row[6] == row[7]));
        float[,] m = MatrixProduct.M();
        Assert.Equal((9, 25, 63), (m.GetLength(0), m.GetLength(1), (int)m.Cast<float>().Sum()));       // nine windows with the sum 7
        Assert.All(Grids(MatrixProduct.SeveralChannels()).Where(grid => Label(grid).StartsWith("y,", StringComparison.Ordinal)),
            grid => Assert.All(grid.Elements(), square => Assert.Equal("window", square.Attribute("class")?.Value)));
    }

    [Fact]
    public void Where_the_documents_slip()
    {
        float[,] loop = Slips.StrideLoop(Windows.Padded, Windows.K, 2), right = Values.Convolve(Windows.Padded, Windows.K, stride: 2);
        Assert.Equal("19 0 25; 0 0 0; 21 0 15", loop.Text());
        Assert.Equal(8, loop.List().Zip(right.List()).Count(pair => pair.First != pair.Second));
        Assert.Contains("230×306 outputs of the photo 75 % are 0", Slips.Stride(materials).Text, StringComparison.Ordinal);
        Assert.Equal("31 253 255 0 0; 10 236 252 0 0; 235 24 28 0 0; 0 0 0 0 0; 0 0 0 0 0", Grid(Slips.ZerosLike(), "in bytes"));
        Assert.Equal((0, 224), (Slips.PythonSlice(0, -0, 224), Slips.PythonSlice(1, -1, 226)));
        Assert.Equal(["225", "224", "225", "224", "225"], Table(Slips.EvenKernels()).Skip(1).Select(row => row[1]));
        Assert.All(Table(Slips.EvenKernels()).Skip(1), row => Assert.Equal("224", row[3]));
        Assert.Equal(["[1, 3, 220, 220]", "[1, 1, 220, 220]"], Table(Slips.ChannelsKept(materials)).Skip(1).Select(row => row[3]));
        string[] printed = Grid(Slips.LastRow(), "as printed").Split("; "), made = Grid(Slips.LastRow(), "PaddingMode.Replicate").Split("; ");
        Assert.Equal(printed[..6], made[..6]);
        Assert.Equal(("5 5 0 0 0 1 1", "5 5 0 0 3 1 1"), (printed[6], made[6]));
        Assert.Equal("28 20 13; 28 25 22; 22 39 35", Grid(Slips.Flipping(), "Y, as in the lecture’s figure"));
        Assert.Equal("29 25 15; 30 27 23; 17 32 38", Grid(Slips.Flipping(), "Y, by the lecture’s code"));
        Assert.Equal(["306.5", "306"], Table(Slips.Floor())[2][1..]);
        Assert.Equal("40 60 60 60 60 60 60 40", Grid(Slips.BlackBorder(), "blurred").Split("; ")[0]);
    }

    [Fact]
    public void Neighbours_are_alike_until_they_are_shuffled()
    {
        double[][] rows = [.. Table(Pixels.Neighbours(materials)).Skip(1).Select(row => row.Select(cell => double.Parse(cell.Replace('−', '-'))).ToArray())];
        Assert.Equal([1, 2, 4, 8, 16, 32, 64], rows.Select(row => row[0]));
        Assert.InRange(rows[0][1], 0.9, 1);
        Assert.Equal(rows[..6].Select(row => row[1]).OrderDescending(), rows[..6].Select(row => row[1]));
        Assert.All(rows, row => Assert.InRange(row[2], -0.03, 0.03));             // 5 standard deviations of 1/√(160·224)
    }

    [Fact]
    public void The_kernels_are_learnt_back()
    {
        float[][] weights = LearnAKernel.Train(materials.Square.Shuffle(seed: 1), [0, 500]);
        float[] truth = [.. LearnAKernel.Truth.SelectMany(filter => filter.Kernel.ToArray())];
        Assert.InRange(Error(weights[0]), 7, 9);
        Assert.InRange(Error(weights[1]), 0, 1e-3);

        float Error(float[] learnt) => learnt.Zip(truth, (a, b) => Math.Abs(a - b)).Max();
    }

    [Fact]
    public void Shuffled_alike_the_linear_model_keeps_its_accuracy_and_the_CNN_loses_its_lead()
    {
        LabeledImages some = materials.Test.Take(20), shuffled = PixelShuffle.Permute(some, seed: 3);
        Assert.All(Enumerable.Range(0, 20), n => Assert.Equal(some.Image(n).ToArray().Order(), shuffled.Image(n).ToArray().Order()));
        Assert.NotEqual(some.Image(0).ToArray(), shuffled.Image(0).ToArray());

        double[] linear = Run(PixelShuffle.Linear, false), linearShuffled = Run(PixelShuffle.Linear, true);
        double[] cnn = Run(PixelShuffle.Cnn, false), cnnShuffled = Run(PixelShuffle.Cnn, true);
        Assert.InRange(linear.Average() - linearShuffled.Average(), -3, 3);        // 500 images: two standard deviations of a share of 0.8 are 3.6
        Assert.True(cnn.Average() - cnnShuffled.Average() > 10, $"{string.Join(' ', cnn)}; {string.Join(' ', cnnShuffled)}");
        Assert.True(cnnShuffled.Average() - linearShuffled.Average() < (cnn.Average() - linear.Average()) / 2);

        static double[] Run(Func<Sequential> build, bool shuffle) => PixelShuffle.Accuracies(build, shuffle, materials);
    }

    [Fact]
    public void The_page_is_one_file_with_every_part_and_the_code_of_every_figure()
    {
        string text = page.Value;
        Assert.StartsWith("<!DOCTYPE html>\n", text, StringComparison.Ordinal);
        XElement main = XElement.Parse($"<main>{text.Split("<main>")[1].Split("</main>")[0]}</main>", LoadOptions.PreserveWhitespace);
        string[] parts = [.. main.Elements("section").Select(section => section.Attribute("id")!.Value)];
        Assert.Equal(["pixels", "windows", "filters", "matrix", "backward", "learn", "shuffle", "slips"], parts);
        Assert.Equal(parts.Select(part => $"#{part}"), main.Descendants("a").Select(a => a.Attribute("href")!.Value));
        Assert.All(main.Descendants("img"), image => Assert.StartsWith("data:image/", image.Attribute("src")!.Value, StringComparison.Ordinal));
        Assert.DoesNotContain("url(", text, StringComparison.Ordinal);
        Assert.DoesNotMatch("(src|href)=\"(?!data:|#)", text);
        Assert.InRange(text.Length, 500_000, 2_000_000);
        XElement[] articles = [.. main.Descendants("article")];
        Assert.Equal(Steps.Length, articles.Length);
        foreach ((PageStep step, XElement article) in Steps.Zip(articles))
        {
            XElement code = article.Element("details")!;
            Assert.Equal($"code: {step.Name}", code.Element("summary")!.Value);
            string[] source = PageStep.SourceOf(step.Name).Split('\n');
            string[] shown = code.Element("pre")!.Value.Split("\n\npublic ")[0].Split("\n\n///")[0].Split('\n');
            Assert.All(shown, line => Assert.True(source.Contains(line) || line.Trim() == "\"…\",", line));
            Assert.Equal((source[0], source[^1]), (shown[0], shown[^1]));
            Assert.True(article.Descendants("figure").Any() || article.Descendants("table").Any(), step.Name);
        }
    }

    /// <summary>The page shows whole functions, and each is short.</summary>
    [Fact]
    public void Each_function_that_is_shown_has_at_most_25_lines()
    {
        foreach (string function in Steps.SelectMany(step => PageStep.Shown(step.Name).Append(PageStep.SourceOf(step.Name))).Distinct())
        {
            string[] lines = [.. function.Split('\n').SkipWhile(line => line.StartsWith("///", StringComparison.Ordinal))];
            Assert.StartsWith("public static ", lines[0], StringComparison.Ordinal);
            Assert.True(lines.Length <= 25, $"{lines.Length} lines: {lines[0]}");
            Assert.True(lines[^1] == "}" || lines[^1].EndsWith(';'), lines[^1]);
            foreach (string pair in (string[])["()", "{}", "[]"])
                Assert.True(function.Count(c => c == pair[0]) == function.Count(c => c == pair[1]), $"{pair}: {function}");
        }
        Assert.Contains(PageStep.Shown("LearnAKernel.Learnt"), code => code.Contains("float[][] Train(", StringComparison.Ordinal));
        Assert.Contains(PageStep.Shown("Windows.Slide"), code => code.Contains("Conv2d Layer(", StringComparison.Ordinal));
    }

    [Fact]
    public void TorchSharps_recorded_image_is_of_the_photo_and_ours_to_the_bit()
    {
        (float[,] x, float[,] y) = MatrixProduct.Recorded();
        Assert.Equal(Values.Of(materials.Photo.ToGrey().Crop(140, 81, 64, 64)).List(), x.List());
        Assert.Equal(Values.Convolve(x, Values.Of(ImageFilters.Sharpen)).List(), y.List());
        Assert.Contains("Of 3844 outputs 0 differ between the first two and 0 between the last two", MatrixProduct.SameImage().Text, StringComparison.Ordinal);
    }

    [Fact]
    public void It_takes_a_photo_and_digits_and_says_where_the_page_is()
    {
        string folder = Directory.CreateTempSubdirectory("minicnn-").FullName, photo = Path.Combine(folder, "mine.png");
        TestCard.Draw(240, 200).Save(photo);
        foreach ((string part, LabeledImages digits) in ((string, LabeledImages)[])[("train", materials.Train.Take(60)), ("t10k", materials.Test.Take(20))])
        {
            byte n = (byte)digits.Count;
            byte[] pixels = [.. Enumerable.Range(0, n).SelectMany(i => digits.Image(i).ToArray())];
            byte[] labels = [.. digits.Labels.ToArray().Select(label => (byte)label)];
            File.WriteAllBytes(Path.Combine(folder, $"{part}-images-idx3-ubyte"), [0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 28, 0, 0, 0, 28, .. pixels]);
            File.WriteAllBytes(Path.Combine(folder, $"{part}-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, n, .. labels]);
        }
        (int code, string output, string error) = Example.Run(
            "StepByStep", "--photo", photo, "--data", folder, "--limit", "50", "--seeds", "1", "--out", Path.Combine(folder, "run"));
        Assert.Equal((0, ""), (code, error));
        string[] lines = output.TrimEnd().Split('\n');
        Assert.Equal(Enumerable.Range(1, 8).Select(i => $"{i}"), lines[^9..^1].Select(line => line.Split('.')[0]));
        Assert.EndsWith($" s: {Path.Combine(folder, "run", "step-by-step.html")}", lines[^1], StringComparison.Ordinal);
        string text = File.ReadAllText(Path.Combine(folder, "run", "step-by-step.html"));
        Assert.Contains("Photo: mine.png. Digits: digits of MNIST.", text, StringComparison.Ordinal);
        Assert.Contains("three times through 50 of the digits of MNIST and tested on 20 others", text, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Wrong_usage_is_a_line_and_leaves_nothing_behind()
    {
        string folder = Directory.CreateTempSubdirectory("minicnn-").FullName, small = Path.Combine(folder, "small.png"), run = Path.Combine(folder, "run");
        new Picture(100, 300).Save(small);
        foreach ((int expected, string fault, string[] options) in ((int, string, string[])[])[
            (2, "--limit must be a whole number of at least 10, not 9", ["--limit", "9"]), (2, "--seeds must be a whole number of at least 1, not 0", ["--seeds", "0"]),
            (1, "expected a photo of at least 192×192 pixels, got 100×300", ["--photo", small]),
            (1, "the folder does not exist", ["--data", Path.Combine(folder, "nowhere")])])
        {
            (int code, _, string error) = Example.Run("StepByStep", [.. options, "--out", run]);
            Assert.Equal(expected, code);
            Assert.Contains(fault, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
            Assert.False(Directory.Exists(run));
        }
        Directory.Delete(folder, recursive: true);
    }

    static IEnumerable<XElement> Grids(Figure figure) => figure.Parts.SelectMany(part => part.DescendantsAndSelf("div"))
        .Where(div => div.Attribute("aria-label") is not null);

    static string Label(XElement grid) => grid.Attribute("aria-label")!.Value;

    /// <summary>The numbers of the last grid with this name. Semicolons separate rows.</summary>
    static string Grid(Figure figure, string name) =>
        Label(Grids(figure).Last(grid => Label(grid).StartsWith($"{name}, ", StringComparison.Ordinal))).Split(": ")[1];

    static IEnumerable<string> Text(Figure figure) => figure.Parts.SelectMany(part => part.Descendants("p")).Select(p => p.Value);

    static IEnumerable<string> Captions(Figure figure) => figure.Parts.SelectMany(part => part.Descendants("figure"))
        .Where(f => f.Element("img") is not null).Select(f => f.Element("figcaption")!.Value);

    static string[][] Table(Figure figure) => ReportPage.Table(new XElement("all", figure.Parts));
}

using System.Diagnostics;
using System.Xml.Linq;
using MiniCnn.Reports;
using static MiniCnn.Examples.StepByStep.PageStep;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>The page from top to bottom.</summary>
static class Lesson
{
    public sealed record Section(string Id, string Title, string Text, PageStep[] Steps);

    public static Section[] Sections { get; } =
    [
        new("pixels", "What an image is", "Numbers in rows and columns, and their order matters.",
            [Of(Pixels.Grey), Of(Pixels.Channels), Of(Pixels.OneColour), Of(Pixels.Layouts), Of(Pixels.GuessThisPixel), Of(Pixels.Neighbours)]),
        new("windows", "The window that slides", "A convolution looks at a few neighbours at a time, everywhere with the same weights.",
            [Of(Windows.Slide), Of(Windows.OverNine), Of(Windows.ZeroPadding), Of(Windows.Stride), Of(Windows.Dilation), Of(Windows.Replicate),
            Of(Windows.ZoomIn), Of(Windows.Sizes), Of(Windows.HalfTheKernel)]),
        new("filters", "Kernels that people made", "The same sum of products blurs, sharpens or finds edges. The nine numbers decide.",
            [Of(Filters.Photo), Of(Filters.Sharpen), Of(Filters.Gaussian), Of(Filters.Outline), Of(Filters.Box), Of(Filters.Prewitt), Of(Filters.Bank),
            Of(Filters.Normalised), Of(Filters.Bias), Of(Filters.Flipped), Of(Filters.LectureSizes)]),
        new("matrix", "A matrix product, and a layer",
            "Nothing new for those who know a linear layer: a convolution is one with most weights 0 and the others shared.",
            [Of(MatrixProduct.Drawn), Of(MatrixProduct.Loop), Of(MatrixProduct.Transposed), Of(MatrixProduct.SeveralChannels), Of(MatrixProduct.Parameters),
            Of(MatrixProduct.SameImage)]),
        new("backward", "The backward pass",
            "Neither document goes backwards, but this is how a kernel is learnt. X and K are those of part 2; dy is made up.",
            [Of(Backward.Feeds), Of(Backward.Dx), Of(Backward.DxOfStride), Of(Backward.Dw), Of(Backward.Db), Of(Backward.Quotient)]),
        new("learn", "Learn a kernel", "The kernels of part 3 were given. Here a layer finds them.", [Of(LearnAKernel.Learnt)]),
        new("shuffle", "The pixel shuffle", "The lecture asks what is lost when all images are shuffled alike. An experiment answers.",
            [Of(PixelShuffle.Shuffled), Of(PixelShuffle.Experiment)]),
        new("slips", "Where the documents slip",
            "Good documents, and a few places to be careful with. Each is shown by computation; the marked squares are those that differ.",
            [Of(Slips.Stride), Of(Slips.ZerosLike), Of(Slips.PaddingOfZero), Of(Slips.EvenKernels), Of(Slips.ChannelsKept), Of(Slips.LastRow),
            Of(Slips.Flipping), Of(Slips.Floor), Of(Slips.BlackBorder)]),
    ];

    /// <summary>The file's text.</summary>
    /// <param name="materials">What the figures are drawn from.</param>
    /// <param name="tell">Is told of each part that is done.</param>
    /// <param name="cancel">Ends between two figures.</param>
    public static string Write(Materials materials, Action<string> tell, CancellationToken cancel = default)
    {
        XElement main = H("main", H("h1", "Convolution, step by step"),
            H("p.lead", "This page follows an article that writes convolution and padding from scratch in NumPy, and a lecture on convolution for computer "
                + "vision. Each of their steps has a figure here. All numbers were computed by MiniCnn when the page was made; the code of each figure is "
                + "below it, to unfold."),
            H("p.note", $"Photo: {materials.PhotoName}. Digits: {materials.DigitsName}. In kernels and gradients blue is negative, red "
                + "positive; orange frames mark what the text speaks of."),
            H("nav", A("aria-label", "Parts"), H("ol", Sections.Select(section => H("li", H("a", A("href", $"#{section.Id}"), section.Title))))));
        foreach ((int number, Section section) in Sections.Index())
        {
            long start = Stopwatch.GetTimestamp();
            main.Add(H("section", A("id", section.Id), H("h2", $"{number + 1}. {section.Title}"), H("p.lead", section.Text), section.Steps.Select(step =>
            {
                cancel.ThrowIfCancellationRequested();
                return step.Draw(materials);
            })));
            string figures = section.Steps.Length == 1 ? "1 figure" : $"{section.Steps.Length} figures";
            tell($"{number + 1}. {section.Title}: {figures}, {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        }
        using StreamReader style = new(Resource("step.css"));
        return HtmlPage.Write("Convolution, step by step", main, style.ReadToEnd());
    }
}

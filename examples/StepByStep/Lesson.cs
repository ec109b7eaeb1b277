using System.Diagnostics;
using System.Xml.Linq;
using MiniCnn.Reports;
using static MiniCnn.Examples.StepByStep.PageStep;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>The sections of the page.</summary>
static class Lesson
{
    public sealed record Section(string Id, string Title, string Text, PageStep[] Steps);

    public static Section[] Sections { get; } =
    [
        new("pixels", "What an image is", "Numbers in rows and columns. Their order matters.",
            [Of(Pixels.Grey), Of(Pixels.Channels), Of(Pixels.OneColour), Of(Pixels.Layouts), Of(Pixels.GuessThisPixel), Of(Pixels.Neighbours)]),
        new("windows", "The window that slides", "A convolution computes each output from a few neighbors, with the same weights everywhere.",
            [Of(Windows.Slide), Of(Windows.OverNine), Of(Windows.ZeroPadding), Of(Windows.Stride), Of(Windows.Dilation), Of(Windows.Replicate),
            Of(Windows.ZoomIn), Of(Windows.Sizes), Of(Windows.HalfTheKernel)]),
        new("filters", "Designed kernels", "The same sum of products blurs, sharpens or finds edges, depending on its nine numbers.",
            [Of(Filters.Photo), Of(Filters.Sharpen), Of(Filters.Gaussian), Of(Filters.Outline), Of(Filters.Box), Of(Filters.Prewitt), Of(Filters.Bank),
            Of(Filters.Normalised), Of(Filters.Bias), Of(Filters.Flipped), Of(Filters.LectureSizes)]),
        new("matrix", "A matrix product, and a layer",
            "A convolution is a linear layer in which most weights are 0 and the other weights are shared.",
            [Of(MatrixProduct.Drawn), Of(MatrixProduct.Loop), Of(MatrixProduct.Transposed), Of(MatrixProduct.SeveralChannels), Of(MatrixProduct.Parameters),
            Of(MatrixProduct.SameImage)]),
        new("backward", "The backward pass",
            "The documents do not cover the backward pass, but it is how a kernel is learned. X and K are the same as in part 2; dy is an example.",
            [Of(Backward.Feeds), Of(Backward.Dx), Of(Backward.DxOfStride), Of(Backward.Dw), Of(Backward.Db), Of(Backward.Quotient)]),
        new("learn", "Learn a kernel", "The kernels of part 3 were given. Here a layer learns them.", [Of(LearnAKernel.Learnt)]),
        new("shuffle", "The pixel shuffle", "The lecture asks for the effect of one pixel permutation on all images. This is the experiment.",
            [Of(PixelShuffle.Shuffled), Of(PixelShuffle.Experiment)]),
        new("slips", "Mistakes in the documents",
            "The documents are good, but a few places are wrong. Each is shown by a computation; the marked squares differ.",
            [Of(Slips.Stride), Of(Slips.ZerosLike), Of(Slips.PaddingOfZero), Of(Slips.EvenKernels), Of(Slips.ChannelsKept), Of(Slips.LastRow),
            Of(Slips.Flipping), Of(Slips.Floor), Of(Slips.BlackBorder)]),
    ];

    /// <summary>Writes the page as HTML.</summary>
    /// <param name="materials">The photo and the digits.</param>
    /// <param name="tell">Called after each section with its name, number of figures and time.</param>
    /// <param name="cancel">Cancels between two figures.</param>
    public static string Write(Materials materials, Action<string> tell, CancellationToken cancel = default)
    {
        XElement main = H("main", H("h1", "Convolution, step by step"),
            H("p.lead", "This page follows an article that implements convolution and padding from scratch in NumPy, and a lecture on convolution for computer "
                + "vision. Each of their steps has a figure here. MiniCnn computed all numbers when the page was written. The code of each figure is "
                + "below the figure and can be unfolded."),
            H("p.note", $"Photo: {materials.PhotoName}. Digits: {materials.DigitsName}. In kernels and gradients, blue is negative and "
                + "red is positive. Orange frames mark the squares that the text describes."),
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

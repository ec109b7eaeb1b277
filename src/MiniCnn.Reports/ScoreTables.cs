using System.Xml.Linq;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Reports;

/// <summary>An <see cref="Evaluation"/> as tables: the confusion matrix, and precision, recall and F1 per class; for masks, IoU too.</summary>
static class ScoreTables
{
    const int MostSquare = 30;                                   // maximum classes of a confusion matrix; with more, the most frequent confusions are listed

    public static IEnumerable<XElement?> Of(Evaluation scores)
    {
        int classes = scores.ClassNames.Count;
        long[,] confusion = scores.Confusion;
        int[] all = [.. Enumerable.Range(0, classes)];
        string what = scores.IsOfPixels ? "pixels" : "images";
        yield return H("p", $"{Page.P(scores.Accuracy)} correct: {scores.Correct} of {scores.Count} {what}; loss {Page.N(scores.Loss)}.");
        if (classes <= MostSquare)
        {
            yield return Table(
                $"Confusion matrix, in {what}: rows are true classes, columns are predicted classes", ["true \\ predicted", .. scores.ClassNames],
                all.Select(label => all.Select(guess => (object?)Cell(label, guess)).Prepend(scores.ClassNames[label])));
        }
        else
        {
            (int Label, int Guess)[] pairs = [.. all.SelectMany(label => all.Where(guess => guess != label && confusion[label, guess] > 0).Select(guess => (label, guess)))
                .OrderByDescending(pair => confusion[pair.label, pair.guess]).Take(MostSquare)];
            yield return Table($"The most frequent confusions", ["class", "predicted as", what], pairs.Select(pair =>
                new object?[] { scores.ClassNames[pair.Label], scores.ClassNames[pair.Guess], $"{confusion[pair.Label, pair.Guess]}" }));
        }
        string[] ofPixels = scores.IsOfPixels ? ["IoU"] : [];
        yield return Table(
            "Scores per class", ["class", what, "precision", "recall", "F1", .. ofPixels],
            all.Select(c => (IEnumerable<object?>)[scores.ClassNames[c], $"{scores.Support(c)}", Page.P(scores.Precision(c)), Page.P(scores.Recall(c)), Page.P(scores.F1(c)),
                    .. scores.IsOfPixels ? [Page.P(scores.IoU(c))] : Array.Empty<string>()])
                .Append(["macro average", $"{scores.Count}", Page.P(scores.MacroPrecision), Page.P(scores.MacroRecall), Page.P(scores.MacroF1),
                    .. scores.IsOfPixels ? [Page.P(scores.MeanIoU)] : Array.Empty<string>()]));

        XElement Cell(int label, int guess)
        {
            double share = confusion[label, guess] / (double)Math.Max(scores.Support(label), 1);
            return H($"td.{(label == guess ? "right" : "wrong")}", A("style", FormattableString.Invariant($"--share:{share:F3}")), $"{confusion[label, guess]}");
        }
    }
}

using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>What the figures are drawn from.</summary>
/// <param name="Photo">In colour.</param>
/// <param name="PhotoName">What the page calls it.</param>
/// <param name="Spot">The pixel to look at closely, as shares of width and height.</param>
/// <param name="Train">Digits to train on.</param>
/// <param name="Test">Digits to test on.</param>
/// <param name="DigitsName">What the page calls them.</param>
/// <param name="Seeds">Runs of each kind in the pixel shuffle.</param>
sealed record Materials(
    Picture Photo, string PhotoName, (double X, double Y) Spot, LabeledImages Train, LabeledImages Test, string DigitsName, int Seeds)
{
    /// <summary>The article's size: 224×224, grey.</summary>
    public float[,] Square { get; } = Values.Of(Photo.ToGrey().Resize(224, 224, Fit.CenterCrop));

    /// <summary>The lecture's size: 459 rows of 612 pixels, grey.</summary>
    public float[,] Wide { get; } = Values.Of(Photo.ToGrey().Resize(612, 459, Fit.CenterCrop));

    /// <summary>Some pixels around the spot, or the next ones that are within the photo.</summary>
    public Picture Around(int height, int width)
    {
        int Start(double share, int all, int part) => Math.Clamp((int)(share * all) - part / 2, 0, all - part);
        return Photo.Crop(Start(Spot.X, Photo.Width, width), Start(Spot.Y, Photo.Height, height), width, height);
    }
}

/// <summary>A figure: what is said, and below it what is drawn.</summary>
sealed record Figure(string Title, string Text, params XElement[] Parts);

/// <summary>A function that makes a figure, and its name, under which the page shows its code.</summary>
sealed record PageStep(string Name, Func<Materials, Figure> Make)
{
    public static PageStep Of(Func<Materials, Figure> make, [CallerArgumentExpression(nameof(make))] string name = "") => new(name, make);

    public static PageStep Of(Func<Figure> make, [CallerArgumentExpression(nameof(make))] string name = "") => new(name, _ => make());

    /// <summary>The figure as the page has it: title, text, drawing, and its code to unfold.</summary>
    public XElement Draw(Materials materials)
    {
        Figure figure = Make(materials);
        return H(
            "article.step", H("h3", figure.Title), H("p", figure.Text), figure.Parts,
            H("details", H("summary", $"code: {Name}"), H("pre", A("tabindex", 0), string.Join("\n\n", Shown(Name)))));
    }

    /// <summary>The code below a figure: its function, those of its file that it calls, and the convolution.</summary>
    public static IEnumerable<string> Shown(string name)
    {
        string file = name[..name.IndexOf('.', StringComparison.Ordinal)], code = SourceOf(name);
        IEnumerable<string> own =
            from other in Functions(file)
            where $"{file}.{other}" != name && Regex.IsMatch(code, $@"(?<![.\w]){other}[(,]")
            select $"{file}.{other}";
        bool layer = code.Contains("Values.Layer(", StringComparison.Ordinal), convolve = code.Contains("Values.Convolve(", StringComparison.Ordinal);
        string[] below = convolve ? ["Values.Convolve", "Values.Layer"] : layer ? ["Values.Layer"] : [];
        return [WithoutProse(code), .. own.Concat(below).Select(SourceOf)];
    }

    /// <summary>The text of a figure stands above its code: in the code it is “…”.</summary>
    static string WithoutProse(string code) =>
        Regex.Replace(code, @"^( +)\$?""[^\n]*""(\n +\+ \$?""[^\n]*"")+,$", "$1\"…\",", RegexOptions.Multiline);

    /// <summary>The public functions of a file that make no figure.</summary>
    static IEnumerable<string> Functions(string file) =>
        Regex.Matches(Read(file), @"^    public static (?!Figure|readonly)\S.*? (\w+)\(", RegexOptions.Multiline)
            .Select(match => match.Groups[1].Value);

    static string Read(string file)
    {
        using StreamReader reader = new(Resource($"{file}.cs"));
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    /// <summary>The source of “File.Function”: from the comment above it to the brace, or the line, that ends it.</summary>
    public static string SourceOf(string name)
    {
        string[] parts = name.Split('.'), lines = Read(parts[0]).Split('\n');
        int at = Array.FindIndex(lines, line => Regex.IsMatch(line, $@"^    public static .* {parts[1]}\("));
        int first = Array.FindLastIndex(lines, at - 1, line => !line.StartsWith("    ///", StringComparison.Ordinal)) + 1;
        int end = lines[at].EndsWith(')') ? Array.IndexOf(lines, "    }", at) + 1 : Array.FindIndex(lines, at, line => line is "" or "}");
        return string.Join('\n', lines[first..end].Select(line => line.Length > 4 ? line[4..] : ""));
    }

    public static Stream Resource(string name) => typeof(PageStep).Assembly.GetManifestResourceStream($"step/{name}")!;
}

using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>The inputs of the figures.</summary>
/// <param name="Photo">An RGB photo.</param>
/// <param name="PhotoName">The name of the photo on the page.</param>
/// <param name="Spot">The pixel that is shown enlarged, as fractions of width and height.</param>
/// <param name="Train">Training digits.</param>
/// <param name="Test">Test digits.</param>
/// <param name="DigitsName">The name of the digits on the page.</param>
/// <param name="Seeds">Number of runs of each kind in the pixel shuffle.</param>
sealed record Materials(
    Picture Photo, string PhotoName, (double X, double Y) Spot, LabeledImages Train, LabeledImages Test, string DigitsName, int Seeds)
{
    /// <summary>The photo in the size of the article: 224×224, gray.</summary>
    public float[,] Square { get; } = Values.Of(Photo.ToGrey().Resize(224, 224, Fit.CenterCrop));

    /// <summary>The photo in the size of the lecture: 459 rows of 612 pixels, gray.</summary>
    public float[,] Wide { get; } = Values.Of(Photo.ToGrey().Resize(612, 459, Fit.CenterCrop));

    /// <summary>Pixels around the spot, shifted if necessary to stay inside the photo.</summary>
    public Picture Around(int height, int width)
    {
        int Start(double share, int all, int part) => Math.Clamp((int)(share * all) - part / 2, 0, all - part);
        return Photo.Crop(Start(Spot.X, Photo.Width, width), Start(Spot.Y, Photo.Height, height), width, height);
    }
}

/// <summary>A figure: title, text, and the drawings below it.</summary>
sealed record Figure(string Title, string Text, params XElement[] Parts);

/// <summary>A function that makes a figure. Name is “File.Function”; the page shows the code of this function.</summary>
sealed record PageStep(string Name, Func<Materials, Figure> Make)
{
    public static PageStep Of(Func<Materials, Figure> make, [CallerArgumentExpression(nameof(make))] string name = "") => new(name, make);

    public static PageStep Of(Func<Figure> make, [CallerArgumentExpression(nameof(make))] string name = "") => new(name, _ => make());

    /// <summary>Writes the figure as HTML: title, text, drawings, and code that can be unfolded.</summary>
    public XElement Draw(Materials materials)
    {
        Figure figure = Make(materials);
        return H(
            "article.step", H("h3", figure.Title), H("p", figure.Text), figure.Parts,
            H("details", H("summary", $"code: {Name}"), H("pre", A("tabindex", 0), string.Join("\n\n", Shown(Name)))));
    }

    /// <summary>Returns the code for a figure: its function, the functions of the same file that it calls, and the convolution.</summary>
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

    /// <summary>Replaces the text of the figure by “…”, because the text is above the code.</summary>
    static string WithoutProse(string code) =>
        Regex.Replace(code, @"^( +)\$?""[^\n]*""(\n +\+ \$?""[^\n]*"")+,$", "$1\"…\",", RegexOptions.Multiline);

    /// <summary>Returns the public functions of a file that return no figure.</summary>
    static IEnumerable<string> Functions(string file) =>
        Regex.Matches(Read(file), @"^    public static (?!Figure|readonly)\S.*? (\w+)\(", RegexOptions.Multiline)
            .Select(match => match.Groups[1].Value);

    static string Read(string file)
    {
        using StreamReader reader = new(Resource($"{file}.cs"));
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    /// <summary>Returns the source of “File.Function”, with its doc comment.</summary>
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

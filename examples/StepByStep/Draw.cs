using System.Xml.Linq;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>The parts of figures: grids of numbers, pictures, and frames to step through.</summary>
static class Draw
{
    /// <summary>Draws a matrix as colored squares with its numbers. Without a color function, the squares are shades of gray.</summary>
    /// <param name="name">The caption. The size of the matrix is added unless the squares are small.</param>
    /// <param name="values">The matrix.</param>
    /// <param name="color">Returns the color of a number.</param>
    /// <param name="mark">Returns “window”, “blank” (not computed yet) or null for a row and a column.</param>
    /// <param name="format">The number format. Empty draws squares without numbers.</param>
    /// <param name="fine">Whether the squares are small.</param>
    public static XElement Numbers(
        string name, float[,] values, Func<float, Rgb>? color = null, Func<int, int, string?>? mark = null, string format = "0.##", bool fine = false)
    {
        (int height, int width) = (values.GetLength(0), values.GetLength(1));
        float low = Math.Min(0, values.List().Min()), high = Math.Max(values.List().Max(), low + 1);
        color ??= v => Grey(255 * (v - low) / (high - low));
        string title = fine ? name : $"{name}, {height}×{width}";
        return H("figure", H("figcaption", title), H("div.wide", H(
            $"div.numbers{(fine ? " fine" : "")}", A("role", "img"), A("aria-label", $"{title}: {values.Text()}"), A("style", $"--columns: {width}"),
            values.List().Select((v, i) => mark?.Invoke(i / width, i % width) is "blank" ? H("span.blank")
                : H("span", A("style", Style(color(v))), mark?.Invoke(i / width, i % width) is string seen ? A("class", seen) : null,
                    format is "" ? "" : Values.N(v, format))))));
    }

    /// <summary>Draws a kernel: blue is negative, white is 0, red is positive.</summary>
    public static XElement Kernel(string name, float[,] kernel, string format = "0.##", Func<int, int, string?>? mark = null, bool fine = false) =>
        Numbers(name, kernel, Signed(kernel), mark, format, fine);

    public static Func<float, Rgb> Signed(float[,] values)
    {
        float most = Math.Max(values.List().Max(Math.Abs), 1e-6f);
        return v => Rgb.BlueWhiteRed(v / most);
    }

    public static Rgb Grey(float value) => new(Byte(value), Byte(value), Byte(value));

    /// <summary>A shade of red, green or blue.</summary>
    public static Rgb Tint(float value, int channel) =>
        channel switch { 0 => new(Byte(value), 0, 0), 1 => new(0, Byte(value), 0), _ => new(0, 0, Byte(value)) };

    static byte Byte(float value) => (byte)Math.Clamp(MathF.Round(value), 0, 255);

    /// <summary>A background color, with black or white text for the higher contrast.</summary>
    static string Style(Rgb color)
    {
        double light = 0.2126 * Linear(color.Red) + 0.7152 * Linear(color.Green) + 0.0722 * Linear(color.Blue);
        return $"background:#{color.Red:x2}{color.Green:x2}{color.Blue:x2};color:{(light > 0.179 ? "#000" : "#fff")}";

        static double Linear(byte value) => value <= 10 ? value / 255.0 / 12.92 : Math.Pow((value / 255.0 + 0.055) / 1.055, 2.4);
    }

    /// <summary>Draws a picture with a caption. Each pixel becomes a square of cell × cell pixels.</summary>
    public static XElement Photo(string caption, Picture picture, int cell = 1) =>
        H("figure.picture", Image(picture, "", cell, photo: cell == 1 && picture.Width > 64), H("figcaption", caption));

    public static XElement Sign(string sign) => H("span.sign", sign);

    public static XElement Row(params object?[] parts) => H("div.row", parts);

    public static XElement Formula(string text) => H("p.formula", text);

    /// <summary>Shows one frame at a time; the arrow keys change it. On paper and in old browsers all frames are visible.</summary>
    public static XElement Frames(string name, IEnumerable<XElement> frames)
    {
        XElement[] all = [.. frames];
        XElement Choice(int i) => H("label", H("input", A("type", "radio"), A("name", name), i == 0 ? A("checked", "") : null), $"{i + 1}");
        return H(
            "fieldset.frames", H("legend", $"{name}: step through"), H("div.choices", all.Select((_, i) => Choice(i))),
            all.Select(frame => H("div.frame", frame)));
    }

    /// <summary>Draws a frame for each position of the window: the marked input, the sum of products, and the output so far.</summary>
    public static XElement Sliding(string name, float[,] x, float[,] k, float[,] y, int stride = 1, int dilation = 1)
    {
        int width = y.GetLength(1);
        return Frames(name, Enumerable.Range(0, y.Length).Select(place =>
        {
            (int top, int left) = (place / width * stride, place % width * stride);
            return H("div", Row(
                Numbers("X", x, mark: Window(top, left, k, dilation)),
                Sign("⋆"), Kernel("K", k), Sign("="),
                Numbers("Y", y, mark: (r, c) => r * width + c > place ? "blank" : r * width + c == place ? "window" : null)),
                Products(x, k, top, left, dilation));
        }));
    }

    /// <summary>The products of a kernel and the pixels under it, and their sum.</summary>
    public static XElement Products(float[,] x, float[,] k, int top, int left, int dilation = 1)
    {
        (float Pixel, float Weight)[] pairs =
            [.. k.List().Select((w, i) => (x[top + i / k.GetLength(1) * dilation, left + i % k.GetLength(1) * dilation], w))];
        return Formula($"{string.Join(" + ", pairs.Select(pair => $"{Term(pair.Pixel)}·{Term(pair.Weight)}"))} = {Values.N(pairs.Sum(pair => pair.Pixel * pair.Weight))}");
    }

    /// <summary>A number of a sum or a product: a negative one in brackets.</summary>
    public static string Term(float value) => value < 0 ? $"({Values.N(value)})" : Values.N(value);

    /// <summary>Marks the pixels under a kernel.</summary>
    public static Func<int, int, string?> Window(int top, int left, float[,] k, int dilation = 1)
    {
        return (r, c) => Under(r - top, k.GetLength(0)) && Under(c - left, k.GetLength(1)) ? "window" : null;

        bool Under(int offset, int taps) => offset >= 0 && offset % dilation == 0 && offset / dilation < taps;
    }

    /// <summary>Marks one square.</summary>
    public static Func<int, int, string?> Square(int row, int column) => (r, c) => (r, c) == (row, column) ? "window" : null;
}

using System.Text;
using SkiaSharp;

namespace MiniCnn.Imaging;

// Drawing primitives of sheets and charts. Skia draws lines and text; data (cells, tiles, photos) are then set pixel by pixel.
static class Drawing
{
    public const int Margin = 24, Gap = 16, Title = 12, Label = 10;    // pixels; Title and Label: the height of a capital letter
    const int TitlePitch = 21, BarWidth = 16, UnitsPerEm = 2048, CapitalUnits = 1493;
    public static readonly Rgb Ink = new(40, 40, 40), Border = new(144, 144, 144), Grid = new(228, 228, 228);

    // The font embedded in this library, never a system font. Text is drawn as outlines in font units, so no system's font rasterizer affects it.
    public static readonly SKTypeface Typeface = SKTypeface.FromStream(typeof(Drawing).Assembly.GetManifestResourceStream("DejaVuSans-subset.ttf"));

    // A white sheet that `draw` draws on.
    public static Picture Sheet(int width, int height, Action<SKCanvas> draw)
    {
        Picture sheet = new(width, height);    // throws if it is too large, before Skia allocates memory
        using SKBitmap bitmap = new(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using SKCanvas canvas = new(bitmap);
        canvas.Clear(SKColors.White);
        draw(canvas);
        PictureFile.Pack(bitmap.GetPixelSpan(), sheet.Pixels, channels: 3);
        return sheet;
    }

    public static SKPaint Paint(Rgb color, float strokeWidth = 0)
    {
        SKColor fill = new(color.Red, color.Green, color.Blue);
        return new() { Color = fill, IsAntialias = true, IsStroke = strokeWidth > 0, StrokeWidth = strokeWidth, StrokeJoin = SKStrokeJoin.Round };
    }

    public static void Fill(this SKCanvas canvas, float left, float top, float width, float height, Rgb color)
    {
        using SKPaint paint = Paint(color);
        canvas.DrawRect(left, top, width, height, paint);
    }

    // One per call: Skia documents that threads may share a typeface, but not that they may share a font.
    static SKFont Font() => new(Typeface, UnitsPerEm) { Hinting = SKFontHinting.None };

    public static int Width(string text, float capital)
    {
        using SKFont font = Font();
        return (int)MathF.Ceiling(font.MeasureText(Encoding.UTF8.GetBytes(text), SKTextEncoding.Utf8) * capital / CapitalUnits);
    }

    // Writes text to the right of and below (left, top), rounded to whole pixels. A character that the font lacks is drawn as a box.
    public static void Write(this SKCanvas canvas, string text, float left, float top, float capital, Rgb color)
    {
        using SKFont font = Font();
        // Skia draws nothing if the text has an unpaired surrogate. In UTF-8 it becomes U+FFFD, a character that the font lacks.
        using SKPath outlines = font.GetTextPath(Encoding.UTF8.GetBytes(text), SKTextEncoding.Utf8);
        using SKPaint paint = Paint(color);
        canvas.Save();
        canvas.Translate(MathF.Round(left), MathF.Round(top + capital));
        canvas.Scale(capital / CapitalUnits);
        canvas.DrawPath(outlines, paint);
        canvas.Restore();
    }

    public static void WriteTitle(this SKCanvas canvas, List<string> lines, int left, int top)
    {
        for (int i = 0; i < lines.Count; i++) canvas.Write(lines[i], left, top + i * TitlePitch, Title, Ink);
    }

    // The height includes the gap below the title.
    public static int TitleHeight(List<string> lines) => lines.Count == 0 ? 0 : lines.Count * TitlePitch + 3;

    // Wraps a title at spaces into lines of at most `width` pixels; a wider word has its own line.
    public static List<string> Wrap(string title, int width)
    {
        List<string> lines = [];
        foreach (string word in title.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            if (lines.Count > 0 && Width($"{lines[^1]} {word}", Title) <= width) lines[^1] += $" {word}";
            else lines.Add(word);
        return lines;
    }

    // A color scale: the colors of the axis from bottom to top, with its labels to the right.
    public static void ColorBar(this SKCanvas canvas, int left, int top, int height, Axis axis, Func<float, Rgb> color)
    {
        canvas.Fill(left - 1, top - 1, BarWidth + 2, height + 2, Border);
        for (int y = 0; y < height; y++)
            canvas.Fill(left, top + y, BarWidth, 1, color((float)(axis.High - (axis.High - axis.Low) * y / (height - 1))));
        foreach ((double value, string text) in axis.Labels)
        {
            float y = MathF.Round(top + (height - 1) * (1 - (float)axis.Share(value)));
            canvas.Fill(left + BarWidth + 1, y, 4, 1, Border);
            canvas.Write(text, left + BarWidth + 10, y - Label / 2, Label, Ink);
        }
    }

    public static int ColorBarWidth(Axis axis) => BarWidth + 10 + axis.Labels.Max(label => Width(label.Text, Label));

    // Draws a picture onto an RGB sheet, on which it must fit: each pixel is a square of scale × scale, with a border of one pixel around the picture.
    public static void Paste(this Picture sheet, Picture picture, int left, int top, int scale = 1)
    {
        sheet.Fill(left - 1, top - 1, picture.Width * scale + 2, picture.Height * scale + 2, Border);
        Span<Rgb> colors = picture.ToRgb().Colors;
        for (int i = 0; i < colors.Length; i++)
            sheet.Fill(left + i % picture.Width * scale, top + i / picture.Width * scale, scale, scale, colors[i]);
    }
}

namespace MiniCnn.Imaging;

// What pictures of pictures are made of, besides Picture.Fill and Font.
static class Drawing
{
    public const int Margin = 24, Text = 2, LinePitch = 20;    // pixels; Text: of a letter's pixel
    public static readonly Rgb Paper = new(255, 255, 255), Ink = new(64, 64, 64), Border = new(144, 144, 144), Grid = new(228, 228, 228);

    public static Picture NewSheet(int width, int height)
    {
        Picture sheet = new(width, height);
        sheet.Pixels.AsSpan().Fill(255);    // paper
        return sheet;
    }

    // Puts a picture, which must fit, on an RGB one, each pixel a square of scale × scale.
    public static void Paste(this Picture sheet, Picture picture, int left, int top, int scale = 1)
    {
        for (int y = 0; y < picture.Height * scale; y++)
            for (int x = 0; x < picture.Width * scale; x++)
                for (int c = 0; c < 3; c++)
                    sheet.Pixels[((top + y) * sheet.Width + left + x) * 3 + c] =
                        picture.Pixels[(y / scale * picture.Width + x / scale) * picture.Channels + c % picture.Channels];
    }

    // A line of one pixel around a rectangle, outside of it.
    public static void Frame(this Picture sheet, int left, int top, int width, int height)
    {
        sheet.Fill(left - 1, top - 1, width + 2, 1, Border);
        sheet.Fill(left - 1, top + height, width + 2, 1, Border);
        sheet.Fill(left - 1, top, 1, height, Border);
        sheet.Fill(left + width, top, 1, height, Border);
    }

    // Mixes a colour in: share 0 leaves the pixel, 1 covers it.
    public static void Blend(this Picture sheet, int x, int y, Rgb color, float share)
    {
        Span<byte> pixel = sheet.Pixels.AsSpan((y * sheet.Width + x) * 3, 3);
        pixel[0] = Mix(pixel[0], color.Red);
        pixel[1] = Mix(pixel[1], color.Green);
        pixel[2] = Mix(pixel[2], color.Blue);

        byte Mix(byte under, byte over) => (byte)MathF.Round(under + (over - under) * share);
    }

    // Lines of a text that are at most so wide, broken at blanks; a longer word has a line of its own.
    public static List<string> Wrap(string text, int width)
    {
        List<string> lines = [];
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            if (lines.Count > 0 && Font.Width($"{lines[^1]} {word}", Text) <= width) lines[^1] += $" {word}";
            else lines.Add(word);
        return lines;
    }
}

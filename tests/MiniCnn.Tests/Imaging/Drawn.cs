using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Finds what is drawn on a picture.</summary>
static class Drawn
{
    static readonly Rgb paper = new(255, 255, 255);

    public static Rgb At(Picture p, int x, int y) =>
        p.Channels == 1 ? new(p.Pixels[y * p.Width + x], p.Pixels[y * p.Width + x], p.Pixels[y * p.Width + x])
        : p.Colors[y * p.Width + x];

    public static IEnumerable<(int X, int Y)> Places(Picture picture, Rgb color) =>
        from y in Enumerable.Range(0, picture.Height)
        from x in Enumerable.Range(0, picture.Width)
        where At(picture, x, y) == color
        select (x, y);

    /// <summary>The first and last column and row with a pixel that is not white.</summary>
    public static (int Left, int Top, int Right, int Bottom) Ink(Picture picture)
    {
        (int X, int Y)[] inked = [.. Enumerable.Range(0, picture.Width * picture.Height).Select(i => (i % picture.Width, i / picture.Width))
            .Where(p => At(picture, p.Item1, p.Item2) != paper)];
        return (inked.Min(p => p.X), inked.Min(p => p.Y), inked.Max(p => p.X), inked.Max(p => p.Y));
    }

    /// <summary>Upper left corners of all copies of a text with the given cap height. A copy has no other ink within three pixels around it.</summary>
    public static List<(int X, int Y)> Find(Picture picture, string text, int capital = Drawing.Title)
    {
        const int around = 3;
        Picture form = Drawing.Sheet(Drawing.Width(text, capital) + 20, 3 * capital, canvas => canvas.Write(text, 10, capital, capital, Drawing.Ink));
        (int left, int top, int right, int bottom) = Ink(form);
        (int X, int Y) dark = Places(form, Drawing.Ink).First();
        return [.. Places(picture, Drawing.Ink).Select(p => (X: p.X - dark.X, Y: p.Y - dark.Y)).Where(Stands).Select(p => (p.X + 10, p.Y + capital))];

        bool Stands((int X, int Y) corner)
        {
            for (int y = top - 1; y <= bottom + 1; y++)
                for (int x = left - around; x <= right + around; x++)
                {
                    (int px, int py) = (corner.X + x, corner.Y + y);
                    Rgb there = px < 0 || py < 0 || px >= picture.Width || py >= picture.Height ? paper : At(picture, px, py);
                    if (!Same(there, At(form, x, y))) return false;
                }
            return true;
        }

        // Edges may differ in the last bit from place to place.
        static bool Same(Rgb a, Rgb b) => Math.Abs(a.Red - b.Red) <= 2 && Math.Abs(a.Green - b.Green) <= 2 && Math.Abs(a.Blue - b.Blue) <= 2;
    }
}

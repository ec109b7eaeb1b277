using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>What is to be seen on a picture.</summary>
static class Drawn
{
    static readonly Rgb ink = new(64, 64, 64);

    public static Rgb At(Picture p, int x, int y) =>
        p.Channels == 1 ? new(p.Pixels[y * p.Width + x], p.Pixels[y * p.Width + x], p.Pixels[y * p.Width + x])
        : new(p.Pixels[(y * p.Width + x) * 3], p.Pixels[(y * p.Width + x) * 3 + 1], p.Pixels[(y * p.Width + x) * 3 + 2]);

    public static IEnumerable<(int X, int Y)> Places(Picture picture, Rgb color) =>
        from y in Enumerable.Range(0, picture.Height)
        from x in Enumerable.Range(0, picture.Width)
        where At(picture, x, y) == color
        select (x, y);

    /// <summary>Upper left corners of a text in letters of 2×2 pixels a dot: all of its ink, and none between, before or behind.</summary>
    public static List<(int X, int Y)> Find(Picture picture, string text)
    {
        HashSet<(int X, int Y)> inked = [.. Places(picture, ink)];
        (int X, int Y)[] dots = [.. Enumerable.Range(0, 9 * 6 * text.Length).Select(i => (X: i / 9, Y: i % 9))
            .Where(d => d.X % 6 < 5 && Font.Ink(text[d.X / 6], d.X % 6, d.Y))];
        HashSet<(int, int)> form = [.. dots];
        (int firstX, int firstY) = dots[0];
        return [.. inked.Select(p => (X: p.X - 2 * firstX, Y: p.Y - 2 * firstY)).Where(Stands)];

        bool Stands((int X, int Y) corner) =>
            dots.All(d => inked.Contains((corner.X + 2 * d.X, corner.Y + 2 * d.Y))) && (
            from y in Enumerable.Range(0, 18)
            from x in Enumerable.Range(-16, 12 * text.Length + 32)
            select inked.Contains((corner.X + x, corner.Y + y)) == (x >= 0 && form.Contains((x / 2, y / 2)))).All(same => same);
    }
}

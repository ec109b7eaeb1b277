using MiniCnn.Imaging;

namespace MiniCnn.Examples.Mnist;

/// <summary>
/// Makes an image as MNIST's of a digit that a person drew: ink is light on black, its longer side fills 20 of 28 pixels, and its centre of mass
/// is in the middle.
/// </summary>
static class HandDrawn
{
    const int Side = 28, Box = 20;
    const int LargestSide = 500;            // of what is looked at
    const float LeastInk = 25;              // grey levels between ink and paper
    const float Faint = 0.2f, Clear = 0.5f; // shares of full ink: pixels above Faint that hang together, one of them above Clear, are a part
    const float SmallestPart = 0.05f;       // of the largest; the rest is dust
    const float LeastStroke = 2;            // pixels of a stroke in 20, which it is widened to

    /// <summary>28×28, grey.</summary>
    /// <exception cref="InvalidDataException">No digit is to be seen.</exception>
    public static Picture AsMnist(Picture drawn)
    {
        Picture grey = drawn.ToGrey();
        int longest = Math.Max(grey.Width, grey.Height);
        if (longest > LargestSide)
            grey = grey.Resize(Math.Max(grey.Width * LargestSide / longest, 1), Math.Max(grey.Height * LargestSide / longest, 1));
        Ink digit = Crop(KeepParts(InkOf(grey)), margin: 0);
        return Centre(Scale(Widen(digit)));
    }

    /// <summary>How much ink is at each place: 0 is paper, 1 full ink.</summary>
    readonly record struct Ink(int Width, int Height, float[] At);

    // Paper is what the border has: the medians of its four sides, and between them a plane, for light that falls from one side.
    static Ink InkOf(Picture grey)
    {
        (int width, int height) = (grey.Width, grey.Height);
        byte[] pixels = grey.Pixels;
        float left = Median(Enumerable.Range(0, height).Select(y => pixels[y * width]));
        float right = Median(Enumerable.Range(1, height).Select(y => pixels[y * width - 1]));
        float top = Median(pixels.Take(width)), bottom = Median(pixels.TakeLast(width));
        float paper = (left + right + top + bottom) / 4;
        float[] ink = new float[pixels.Length];
        for (int i = 0; i < ink.Length; i++)
            ink[i] = paper + (right - left) * ((i % width + 0.5f) / width - 0.5f) + (bottom - top) * ((i / width + 0.5f) / height - 0.5f) - pixels[i];

        // Dark on light, or light on dark: whatever is further from paper. One pixel in 2,000 may be further than ink, being noise.
        float[] sorted = [.. ink.Order()];
        float darkest = sorted[^(1 + ink.Length / 2000)], lightest = -sorted[ink.Length / 2000], full = Math.Max(darkest, lightest);
        if (full < LeastInk)
            throw new InvalidDataException($"no digit is to be seen: the picture differs from its border by {full:F0} grey levels at most");
        for (int i = 0; i < ink.Length; i++)
            ink[i] = Math.Clamp((darkest >= lightest ? ink[i] : -ink[i]) / full, 0, 1);
        return new(width, height, ink);
    }

    static byte Median(IEnumerable<byte> values)
    {
        byte[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    // The digit's parts without faint shades and dust.
    static Ink KeepParts(Ink ink)
    {
        List<(float Mass, List<int> Pixels)> parts = [];
        bool[] seen = new bool[ink.At.Length];
        for (int first = 0; first < seen.Length; first++)
        {
            if (seen[first] || ink.At[first] < Clear)
                continue;
            List<int> pixels = [first];
            float mass = 0;
            seen[first] = true;
            for (int i = 0; i < pixels.Count; i++)
            {
                (int y, int x) = Math.DivRem(pixels[i], ink.Width);
                mass += ink.At[pixels[i]];
                for (int v = Math.Max(y - 1, 0); v <= Math.Min(y + 1, ink.Height - 1); v++)
                    for (int u = Math.Max(x - 1, 0); u <= Math.Min(x + 1, ink.Width - 1); u++)
                        if (!seen[v * ink.Width + u] && ink.At[v * ink.Width + u] >= Faint)
                        {
                            seen[v * ink.Width + u] = true;
                            pixels.Add(v * ink.Width + u);
                        }
            }
            parts.Add((mass, pixels));
        }
        float[] kept = new float[ink.At.Length];
        float largest = parts.Max(p => p.Mass);
        foreach ((float mass, List<int> pixels) in parts)
            if (mass >= SmallestPart * largest)
                foreach (int i in pixels)
                    kept[i] = ink.At[i];
        return ink with { At = kept };
    }

    // The box that holds all ink, and as much paper around it.
    static Ink Crop(Ink ink, int margin)
    {
        int[] inked = [.. Enumerable.Range(0, ink.At.Length).Where(i => ink.At[i] > 0)];
        int left = inked.Min(i => i % ink.Width), right = inked.Max(i => i % ink.Width), top = inked[0] / ink.Width, bottom = inked[^1] / ink.Width;
        Ink box = new(right - left + 1 + 2 * margin, bottom - top + 1 + 2 * margin, []);
        box = box with { At = new float[box.Width * box.Height] };
        for (int y = top; y <= bottom; y++)
            ink.At.AsSpan(y * ink.Width + left, right - left + 1).CopyTo(box.At.AsSpan((y - top + margin) * box.Width + margin));
        return box;
    }

    // A pen that is thin for so large a digit would be lost when it is made small.
    static Ink Widen(Ink ink)
    {
        ink = Crop(ink, margin: 1);
        int edges = 0;
        for (int i = ink.Width; i < ink.At.Length; i++)
            edges += (ink.At[i] > 0 != ink.At[i - 1] > 0 ? 1 : 0) + (ink.At[i] > 0 != ink.At[i - ink.Width] > 0 ? 1 : 0);
        float perimeter = edges * MathF.PI / 4;     // edges across and down are longer than a slanted outline
        float stroke = 2 * ink.At.Sum() / perimeter, wanted = LeastStroke / Box * Math.Max(ink.Width, ink.Height);
        int rounds = (int)MathF.Round((wanted - stroke) / 2);
        if (rounds <= 0)
            return Crop(ink, margin: 0);
        ink = Crop(ink, rounds + 1);
        for (int round = 0; round < rounds; round++)
        {
            // By a cross and a square in turn, so that it grows round.
            float[] wider = new float[ink.At.Length];
            for (int y = 1; y < ink.Height - 1; y++)
                for (int x = 1; x < ink.Width - 1; x++)
                    for (int v = -1; v <= 1; v++)
                        for (int u = -1; u <= 1; u++)
                            if (round % 2 == 1 || u == 0 || v == 0)
                                wider[y * ink.Width + x] = Math.Max(wider[y * ink.Width + x], ink.At[(y + v) * ink.Width + x + u]);
            ink = ink with { At = wider };
        }
        return Crop(ink, margin: 0);
    }

    // The longer side 20 pixels, the darkest ink 255.
    static Picture Scale(Ink ink)
    {
        Picture large = new(ink.Width, ink.Height, channels: 1);
        for (int i = 0; i < ink.At.Length; i++)
            large.Pixels[i] = (byte)MathF.Round(255 * ink.At[i]);
        float scale = Box / (float)Math.Max(ink.Width, ink.Height);
        Picture small = large.Resize(Math.Max((int)MathF.Round(ink.Width * scale), 1), Math.Max((int)MathF.Round(ink.Height * scale), 1));
        int most = small.Pixels.Max();
        for (int i = 0; i < small.Pixels.Length; i++)
            small.Pixels[i] = (byte)(255 * small.Pixels[i] / most);
        return small;
    }

    // The centre of mass comes to pixel (14, 14), as far as the box stays within the image.
    static Picture Centre(Picture small)
    {
        float mass = 0, massX = 0, massY = 0;
        for (int i = 0; i < small.Pixels.Length; i++)
        {
            mass += small.Pixels[i];
            massX += small.Pixels[i] * (i % small.Width);
            massY += small.Pixels[i] * (i / small.Width);
        }
        int left = Math.Clamp((int)MathF.Round(Side / 2 - massX / mass), 0, Side - small.Width);
        int top = Math.Clamp((int)MathF.Round(Side / 2 - massY / mass), 0, Side - small.Height);
        Picture image = new(Side, Side, channels: 1);
        for (int y = 0; y < small.Height; y++)
            small.Pixels.AsSpan(y * small.Width, small.Width).CopyTo(image.Pixels.AsSpan((top + y) * Side + left));
        return image;
    }
}

using MiniCnn.Imaging;

namespace MiniCnn.Examples.Mnist;

/// <summary>
/// Converts a picture of a hand-drawn digit to the format of MNIST: light ink on black, the longer side of the digit 20 of 28 pixels, the center of
/// mass in the middle.
/// </summary>
static class HandDrawn
{
    const int Side = 28, Box = 20;
    const int LargestSide = 500;            // larger pictures are reduced to it
    const float LeastInk = 25;              // minimum gray levels between ink and paper
    const float Faint = 0.2f, Clear = 0.5f; // fractions of full ink: a part is connected pixels above Faint, at least one above Clear
    const float SmallestPart = 0.05f;       // fraction of the largest part; smaller parts are dust
    const float LeastStroke = 2;            // minimum stroke width in the 20×20 box; thinner strokes are widened

    /// <summary>Returns a gray image of 28×28 pixels.</summary>
    /// <exception cref="InvalidDataException">The picture shows no digit.</exception>
    public static Picture AsMnist(Picture drawn)
    {
        Picture grey = drawn.ToGrey();
        int longest = Math.Max(grey.Width, grey.Height);
        if (longest > LargestSide)
            grey = grey.Resize(Math.Max(grey.Width * LargestSide / longest, 1), Math.Max(grey.Height * LargestSide / longest, 1));
        Ink digit = Crop(KeepParts(InkOf(grey)), margin: 0);
        return Center(Scale(Widen(digit)));
    }

    /// <summary>The ink at each pixel: 0 is paper, 1 is full ink.</summary>
    readonly record struct Ink(int Width, int Height, float[] At);

    // The paper is estimated from the border: a plane through the medians of its four sides, because light often comes from one side.
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

        // Ink is dark or light, whichever is further from the paper. One pixel in 2,000 is ignored as noise.
        float[] sorted = [.. ink.Order()];
        float darkest = sorted[^(1 + ink.Length / 2000)], lightest = -sorted[ink.Length / 2000], full = Math.Max(darkest, lightest);
        if (full < LeastInk)
            throw new InvalidDataException($"the picture shows no digit: it differs from its border by at most {full:F0} gray levels");
        for (int i = 0; i < ink.Length; i++)
            ink[i] = Math.Clamp((darkest >= lightest ? ink[i] : -ink[i]) / full, 0, 1);
        return new(width, height, ink);
    }

    static byte Median(IEnumerable<byte> values)
    {
        byte[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    // Removes faint shades and dust: keeps the parts of the digit.
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

    // Crops to the bounding box of the ink, plus a margin of paper.
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

    // Widens strokes that would vanish when the digit is reduced.
    static Ink Widen(Ink ink)
    {
        ink = Crop(ink, margin: 1);
        int edges = 0;
        for (int i = ink.Width; i < ink.At.Length; i++)
            edges += (ink.At[i] > 0 != ink.At[i - 1] > 0 ? 1 : 0) + (ink.At[i] > 0 != ink.At[i - ink.Width] > 0 ? 1 : 0);
        float perimeter = edges * MathF.PI / 4;     // horizontal and vertical edges are 4/π times as long as the outline, on average
        float stroke = 2 * ink.At.Sum() / perimeter, wanted = LeastStroke / Box * Math.Max(ink.Width, ink.Height);
        int rounds = (int)MathF.Round((wanted - stroke) / 2);
        if (rounds <= 0)
            return Crop(ink, margin: 0);
        ink = Crop(ink, rounds + 1);
        for (int round = 0; round < rounds; round++)
        {
            // A cross and a square in turn approximate a disk.
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

    // Resizes the longer side to 20 pixels and scales the maximum to 255.
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

    // Moves the center of mass to pixel (14, 14), if the box stays inside the image.
    static Picture Center(Picture small)
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

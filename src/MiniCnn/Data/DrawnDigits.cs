using System.Numerics;

namespace MiniCnn;

/// <summary>Synthetic handwritten digits in the format of MNIST, for use without a data set.</summary>
/// <remarks>
/// The pen follows a stroke model of the digit with random noise on its points. The path is bent, stretched, slanted and rotated at random. The width, softness
/// and dryness of the pen vary. As in MNIST, the digit fits a box of 20×20 pixels with its aspect ratio kept, its center of mass is about half a pixel or less
/// from pixel (14, 14) of 28×28, the background is 0 and ink is 255. Only + − × ÷ and √ are used, which IEEE 754 rounds exactly: the same seed gives the same
/// bytes on every machine.
/// </remarks>
public static class DrawnDigits
{
    const int Side = 28, Box = 20;
    const int StepsPerPoint = 3;

    /// <summary>Draws the digits 0, 1, …, 9, 0, 1, … Each image depends only on the seed and its index, not on <paramref name="count"/>.</summary>
    /// <param name="count">Number of images.</param>
    /// <param name="seed">Seed of the random numbers. Use different seeds for training and test images.</param>
    /// <returns>Images of 1×28×28 in 10 classes.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative, or the images do not fit in an array.</exception>
    public static LabeledImages Draw(int count, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Array.MaxLength / (Side * Side));
        var pixels = new byte[count * Side * Side];
        var labels = new int[count];
        Parallel.For(0, count, i =>
        {
            labels[i] = i % 10;
            Draw(labels[i], new Dice(seed, i), pixels.AsSpan(i * Side * Side, Side * Side));
        });
        return new(pixels, labels, new ImageShape(1, Side, Side), classes: 10);
    }

    static void Draw(int digit, Dice dice, Span<byte> image)
    {
        float radius = dice.Between(0.75f, 2.3f);
        List<(Vector2 At, bool Down)> path = Shake(dice.Pick(DigitStrokes.Models[digit]), ref dice);
        Bend(path, ref dice);
        Fit(path, Box - 2 * radius);
        Span<float> ink = stackalloc float[Side * Side];
        ink.Clear();
        Paint(path, radius, ink, ref dice);
        Centre(ink, image, ref dice);
    }

    /// <summary>Returns the path of the pen in short straight segments, and for each point whether the pen is down on the way to it.</summary>
    static List<(Vector2 At, bool Down)> Shake(DigitStrokes.Curve[] model, ref Dice dice)
    {
        List<(Vector2, bool)> path = new();
        float shake = dice.Between(2, 6.5f);
        Vector2 offset = Vector2.Zero;
        List<Vector2> points = new();
        foreach (DigitStrokes.Curve curve in model)
        {
            points.RemoveRange(0, curve.Continues ? points.Count - 1 : points.Count);
            foreach (Vector2 point in curve.Points)
            {
                offset = 0.5f * offset + shake * new Vector2(dice.Normal(), dice.Normal());
                points.Add(point + offset);
            }
            if (!curve.Continues)
                path.Add((points[0], false));
            int last = points.Count - 1;
            for (int i = 0; i < last; i++)
            {
                Vector2 before = points[int.Max(i - 1, 0)], after = points[int.Min(i + 2, last)];
                for (int step = 1; step <= StepsPerPoint; step++)
                    path.Add((CatmullRom(before, points[i], points[i + 1], after, step / (float)StepsPerPoint), true));
            }
        }
        return path;
    }

    /// <summary>Catmull–Rom spline: the point at t of the curve from b (t = 0) to c (t = 1) with the neighbor points a and d.</summary>
    static Vector2 CatmullRom(Vector2 a, Vector2 b, Vector2 c, Vector2 d, float t) =>
        0.5f * (2 * b + t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))));

    /// <summary>Bends the path by polynomials of degree 2 and 3, then stretches, slants and rotates it.</summary>
    static void Bend(List<(Vector2 At, bool Down)> path, ref Dice dice)
    {
        Span<float> bend = stackalloc float[10];
        for (int i = 0; i < bend.Length; i++)
            bend[i] = 0.12f * dice.Normal();
        float aspect = dice.Between(0.7f, 1.5f);
        float slant = 0.1f + 0.28f * dice.Normal();
        float turn = 0.1f * dice.Normal();      // tangent of the angle
        for (int i = 0; i < path.Count; i++)
        {
            float x = (path[i].At.X - 30) / 50, y = (path[i].At.Y - 50) / 50;       // about −1 to 1
            float u = x + bend[0] * x * x + bend[1] * x * y + bend[2] * y * y + bend[3] * y * y * y + bend[4] * x * x * y;
            float v = y + bend[5] * x * x + bend[6] * x * y + bend[7] * y * y + bend[8] * x * x * x + bend[9] * x * y * y;
            u = aspect * u - slant * v;
            path[i] = (new(u - turn * v, v + turn * u), path[i].Down);
        }
    }

    /// <summary>Scales the path so that its longer side has a size in pixels, and moves it to the middle of the image.</summary>
    static void Fit(List<(Vector2 At, bool Down)> path, float size)
    {
        Vector2 low = path[0].At, high = low;
        foreach ((Vector2 at, bool _) in path)
            (low, high) = (Vector2.Min(low, at), Vector2.Max(high, at));
        float scale = size / Math.Max(high.X - low.X, high.Y - low.Y);
        for (int i = 0; i < path.Count; i++)
            path[i] = (new Vector2(Side / 2f) + scale * (path[i].At - (low + high) / 2), path[i].Down);
    }

    /// <summary>Computes the ink of each pixel, 0 to 1, from its distance to the path.</summary>
    static void Paint(List<(Vector2 At, bool Down)> path, float radius, Span<float> ink, ref Dice dice)
    {
        float soft = dice.Between(0.8f, 1.3f);                              // width in pixels of the transition from full ink to none
        float pressure = 0.15f * dice.Normal();                             // the stroke gets wider or narrower along the path
        float flat = 0.1f * dice.Normal();                                  // the stroke width differs between horizontal and vertical
        float dry = dice.Next() < 0.2f ? dice.Between(0, 0.5f) : 0;
        for (int i = 1; i < path.Count; i++)
        {
            if (!path[i].Down)
                continue;
            (Vector2 from, Vector2 to) = (path[i - 1].At, path[i].At);
            Vector2 way = to - from;
            float length2 = Math.Max(way.LengthSquared(), 1e-6f);
            float r = radius * (1 + pressure * (2f * i / path.Count - 1) + flat * (way.X * way.X - way.Y * way.Y) / length2);
            float strength = 1 - dry * dice.Next();
            float reach = r + soft / 2;
            int top = (int)Math.Max(Math.Min(from.Y, to.Y) - reach, 0), bottom = (int)Math.Min(Math.Max(from.Y, to.Y) + reach, Side - 1);
            int left = (int)Math.Max(Math.Min(from.X, to.X) - reach, 0), right = (int)Math.Min(Math.Max(from.X, to.X) + reach, Side - 1);
            for (int y = top; y <= bottom; y++)
                for (int x = left; x <= right; x++)
                {
                    float dx = x + 0.5f - from.X, dy = y + 0.5f - from.Y;
                    float along = Math.Clamp((dx * way.X + dy * way.Y) / length2, 0, 1);
                    dx -= along * way.X;
                    dy -= along * way.Y;
                    float distance = MathF.Sqrt(dx * dx + dy * dy);
                    float cover = strength * Math.Clamp(0.5f + (r - distance) / soft, 0, 1);
                    ink[y * Side + x] = Math.Max(ink[y * Side + x], cover);
                }
        }
    }

    /// <summary>Moves the center of mass to pixel (14, 14) by whole pixels, as in MNIST, and converts ink to bytes with a little noise.</summary>
    static void Centre(ReadOnlySpan<float> ink, Span<byte> image, ref Dice dice)
    {
        float mass = 0, massX = 0, massY = 0;
        for (int y = 0, i = 0; y < Side; y++)
            for (int x = 0; x < Side; x++, i++)
            {
                mass += ink[i];
                massX += x * ink[i];
                massY += y * ink[i];
            }
        int right = (int)MathF.Round(Side / 2 - massX / mass), down = (int)MathF.Round(Side / 2 - massY / mass);
        for (int y = int.Max(0, -down); y < int.Min(Side, Side - down); y++)
            for (int x = int.Max(0, -right); x < int.Min(Side, Side - right); x++)
                if (ink[y * Side + x] is > 0 and var cover)
                    image[(y + down) * Side + x + right] = (byte)Math.Clamp(255 * cover * (1 + 0.04f * dice.Normal()), 0, 255);
    }

    /// <summary>Random numbers of one image: SplitMix64 (Steele, Lea and Flood, 2014), seeded with the seed and the index.</summary>
    struct Dice(int seed, int index)
    {
        ulong state = ((ulong)(uint)seed << 32) | (uint)index;

        /// <summary>Uniform in [0, 1).</summary>
        public float Next()
        {
            ulong z = state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return ((z ^ (z >> 31)) >> 40) * (1f / (1 << 24));
        }

        public float Between(float low, float high) => low + (high - low) * Next();

        /// <summary>Approximately normal: √3 · (sum of four uniform numbers − 2), with mean 0, variance 1 and range ±3.5.</summary>
        public float Normal() => 1.7320508f * (Next() + Next() + Next() + Next() - 2);

        public T Pick<T>(T[] choices) => choices[(int)(Next() * choices.Length)];
    }
}

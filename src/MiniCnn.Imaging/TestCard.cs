namespace MiniCnn.Imaging;

/// <summary>A picture to try filters on where there is no photo: edges at every angle, gratings from fine to coarse, ramps, dots, letters.</summary>
public static class TestCard
{
    const int Samples = 4;    // a pixel's side has so many of them

    /// <summary>Draws the card, in colour; its parts grow with it, but for the gratings, whose lines are 1 to 4 pixels wide.</summary>
    /// <param name="width">Pixels in a row, at least 16.</param>
    /// <param name="height">Rows, at least 16.</param>
    public static Picture Draw(int width = 224, int height = 224)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 16);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 16);
        Picture card = new(width, height);
        Parallel.For(0, height, y =>
        {
            for (int x = 0; x < width; x++)
            {
                (float red, float green, float blue) = (0, 0, 0);
                for (int i = 0; i < Samples * Samples; i++)
                {
                    // The middle of a small square, on a card of 1×1.
                    (float u, float v) = ((x + (i % Samples + 0.5f) / Samples) / width, (y + (i / Samples + 0.5f) / Samples) / height);
                    Rgb color = At(u, v, x, y);
                    (red, green, blue) = (red + color.Red, green + color.Green, blue + color.Blue);
                }
                Span<byte> pixel = card.Pixels.AsSpan((y * width + x) * 3, 3);
                (pixel[0], pixel[1], pixel[2]) = (Mean(red), Mean(green), Mean(blue));
            }
        });
        int scale = Math.Min(width * 3 / 8 / Font.Width("MiniCnn", 1), height / 12 / Font.Height(1));
        (float left, float top) = (0.735f * width - Font.Width("MiniCnn", scale) / 2f, 0.875f * height - Font.Height(scale) / 2f);
        Font.Draw(card, (int)left, (int)top, "MiniCnn", scale, new(250, 250, 250));
        return card;

        static byte Mean(float sum) => (byte)MathF.Round(sum / (Samples * Samples));
    }

    // The colour at (u, v) of a card of 1×1, which is in pixel (x, y).
    static Rgb At(float u, float v, int x, int y)
    {
        // A star in a ring: edges at every angle.
        (float dx, float dy) = (u - 0.29f, v - 0.29f);
        float radius = MathF.Sqrt(dx * dx + dy * dy);
        if (radius < 0.23f)
            return radius < 0.015f || MathF.Sin(18 * MathF.Atan2(dy, dx)) > 0 ? new(24, 24, 28) : new(244, 244, 240);
        if (radius is > 0.24f and < 0.25f)
            return new(24, 24, 28);

        // Gratings: lines down, then across, 1, 2, 3 and 4 pixels wide.
        if (u is > 0.58f and < 0.94f && v is > 0.06f and < 0.28f)
        {
            int line = 1 + (int)((u - 0.58f) / 0.09f), along = v < 0.17f ? x : y;
            return along / line % 2 == 0 ? new(24, 24, 28) : new(244, 244, 240);
        }

        // Dots, large to small, in colours that are far apart in grey too.
        (int dot, float across) = ((int)((u - 0.58f) / 0.09f), (u - 0.58f) % 0.09f - 0.045f);
        if (u is > 0.58f and < 0.94f && v is > 0.31f and < 0.41f && across * across + (v - 0.36f) * (v - 0.36f) < Square(0.042f - 0.009f * dot))
            return dots[dot];

        // A turned square, and one that is no more than a shade off the ground.
        if (Math.Abs(u - 0.68f) + Math.Abs(v - 0.51f) < 0.085f)
            return new(200, 52, 44);
        if (u is > 0.8f and < 0.94f && v is > 0.44f and < 0.58f)
            return new(152, 160, 168);

        // Below: a ramp, the same in steps, and waves that grow finer to the right; beside them a plate for the name.
        if (u is > 0.06f and < 0.94f && v is > 0.62f and < 0.7f)
            return Grey((u - 0.06f) / 0.88f);
        if (u is > 0.06f and < 0.94f && v is > 0.7f and < 0.78f)
            return Grey((int)((u - 0.06f) / 0.11f) / 7f);
        if (u is > 0.06f and < 0.5f && v is > 0.81f and < 0.94f)
            return Grey(0.5f + 0.5f * MathF.Sin(600 * Square(u - 0.06f) + 20 * (u - 0.06f)));
        if (u is > 0.53f and < 0.94f && v is > 0.81f and < 0.94f)
            return new(36, 68, 120);
        return new(132, 140, 148);
    }

    static readonly Rgb[] dots = [new(250, 204, 60), new(20, 90, 60), new(244, 244, 240), new(24, 24, 28)];

    static Rgb Grey(float share) => new((byte)(255 * share), (byte)(255 * share), (byte)(255 * share));

    static float Square(float x) => x * x;
}

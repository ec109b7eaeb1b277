using SkiaSharp;

namespace MiniCnn.Imaging;

/// <summary>Draws a test picture for filters: edges at all angles, gratings from fine to coarse, ramps, dots and letters.</summary>
public static class TestCard
{
    static readonly Rgb dark = new(24, 24, 28), light = new(244, 244, 240);

    /// <summary>Draws the test card as an RGB picture. Its parts scale with its size, except for the gratings, with lines of 1 to 4 pixels.</summary>
    /// <param name="width">Width in pixels, at least 16.</param>
    /// <param name="height">Height in pixels, at least 16.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 16.</exception>
    public static Picture Draw(int width = 224, int height = 224)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 16);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 16);
        return Drawing.Sheet(width, height, canvas =>
        {
            canvas.Clear(new(132, 140, 148));
            canvas.Save();
            canvas.Scale(width, height);    // the card is 1×1 in these coordinates

            // A star of 18 dark wedges in a ring: edges at every angle.
            using SKPaint darkPaint = Drawing.Paint(dark), lightPaint = Drawing.Paint(light), ring = Drawing.Paint(dark, strokeWidth: 0.01f);
            canvas.DrawCircle(0.29f, 0.29f, 0.23f, lightPaint);
            for (int i = 0; i < 18; i++) canvas.DrawArc(SKRect.Create(0.06f, 0.06f, 0.46f, 0.46f), 20 * i, 10, useCenter: true, darkPaint);
            canvas.DrawCircle(0.29f, 0.29f, 0.015f, darkPaint);
            canvas.DrawCircle(0.29f, 0.29f, 0.245f, ring);

            // Dots, large to small, in colors that differ in grey too.
            Rgb[] dots = [new(250, 204, 60), new(20, 90, 60), light, dark];
            for (int i = 0; i < dots.Length; i++)
            {
                using SKPaint dot = Drawing.Paint(dots[i]);
                canvas.DrawCircle(0.625f + 0.09f * i, 0.36f, 0.042f - 0.009f * i, dot);
            }

            // A plate for the name, a square of low contrast, and a rotated square.
            canvas.Fill(0.53f, 0.81f, 0.41f, 0.13f, new(36, 68, 120));
            canvas.Fill(0.8f, 0.44f, 0.14f, 0.14f, new(152, 160, 168));
            canvas.Translate(0.68f, 0.51f);
            canvas.RotateDegrees(45);
            canvas.Fill(-0.06f, -0.06f, 0.12f, 0.12f, new(200, 52, 44));
            canvas.Restore();

            // Gratings: vertical lines above horizontal ones, 1, 2, 3 and 4 pixels wide.
            for (int y = (int)(0.06f * height); y < 0.28f * height; y++)
                for (int x = (int)(0.58f * width); x < 0.94f * width; x++)
                {
                    int line = 1 + Math.Min((int)((x / (float)width - 0.58f) / 0.09f), 3), along = y < 0.17f * height ? x : y;
                    canvas.Fill(x, y, 1, 1, along / line % 2 == 0 ? dark : light);
                }

            // A smooth ramp, a ramp in steps, and waves with a frequency that increases to the right.
            Columns(0.94f, 0.62f, 0.7f, u => (u - 0.06f) / 0.88f);
            Columns(0.94f, 0.7f, 0.78f, u => (int)((u - 0.06f) / 0.11f) / 7f);
            Columns(0.5f, 0.81f, 0.94f, u => 0.5f + 0.5f * MathF.Sin(600 * (u - 0.06f) * (u - 0.06f) + 20 * (u - 0.06f)));

            float capital = Math.Min(width * 0.32f / Drawing.Width("MiniCnn", 100) * 100, height / 18f);
            canvas.Write("MiniCnn", 0.735f * width - Drawing.Width("MiniCnn", capital) / 2f, 0.875f * height - capital / 2, capital, light);

            void Columns(float right, float top, float bottom, Func<float, float> grey)
            {
                (top, bottom) = (MathF.Round(top * height), MathF.Round(bottom * height));
                for (int x = (int)MathF.Ceiling(0.06f * width); x < right * width; x++)
                {
                    byte value = (byte)(255 * Math.Clamp(grey((x + 0.5f) / width), 0, 1));
                    canvas.Fill(x, top, 1, bottom - top, new(value, value, value));
                }
            }
        });
    }
}

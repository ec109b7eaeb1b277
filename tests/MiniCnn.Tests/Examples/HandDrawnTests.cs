using MiniCnn.Examples.Mnist;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>HandDrawn of examples/Mnist converts drawings to the format of MNIST.</summary>
public sealed class HandDrawnTests
{
    const int Width = 200, Height = 137;

    // A drawn digit, enlarged four to five times, off center, on shaded and noisy paper, dark on light or light on dark.
    internal static Picture Drawing(LabeledImages digits, int index)
    {
        Random random = new(index);
        Picture small = Original(digits, index), large = small.Resize(4 * 28 + index % 24, 4 * 28 + index % 24), drawing = new(Width, Height);
        int left = random.Next(Width - large.Width + 1), top = random.Next(Height - large.Height + 1);
        bool dark = index % 2 == 0;
        (double paper, double ink) = dark ? (180 + random.Next(50), random.Next(60)) : (20 + random.Next(50), 180 + random.Next(60));
        for (int y = 0; y < Height; y++)
            for (int x = 0; x < Width; x++)
            {
                bool inside = x >= left && y >= top && x - left < large.Width && y - top < large.Height;
                double share = inside ? large.Pixels[(y - top) * large.Width + x - left] / 255.0 : 0;
                double shade = 40.0 * x / Width - 30.0 * y / Height + random.Next(-8, 9);
                byte level = (byte)Math.Clamp((1 - share) * (paper + shade) + share * ink, 0, 255);
                drawing.Fill(x, y, 1, 1, new(level, level, level));
            }
        return drawing;
    }

    static Picture Original(LabeledImages digits, int index)
    {
        Picture image = new(28, 28, 1);
        digits.Image(index).CopyTo(image.Pixels);
        return image;
    }

    // The maximum over shifts of b by up to one pixel, because the center of mass is rounded to a whole pixel.
    static double Correlation(Picture a, Picture b) => (
        from dy in (int[])[-1, 0, 1]
        from dx in (int[])[-1, 0, 1]
        select Correlation(a.Pixels, [.. Enumerable.Range(0, 784).Select(i => At(b, i % 28 + dx, i / 28 + dy))])).Max();

    static byte At(Picture image, int x, int y) => x is >= 0 and < 28 && y is >= 0 and < 28 ? image.Pixels[y * 28 + x] : (byte)0;

    static double Correlation(byte[] a, byte[] b)
    {
        double meanA = a.Average(v => v), meanB = b.Average(v => v);
        double ab = a.Zip(b).Sum(p => (p.First - meanA) * (p.Second - meanB));
        return ab / Math.Sqrt(a.Sum(v => (v - meanA) * (v - meanA)) * b.Sum(v => (v - meanB) * (v - meanB)));
    }

    [Fact]
    public void A_drawing_of_an_image_becomes_that_image_again()
    {
        LabeledImages digits = DrawnDigits.Draw(100, seed: 5);
        double[] alike = [.. Enumerable.Range(0, 100).Select(i => Correlation(Original(digits, i), HandDrawn.AsMnist(Drawing(digits, i))))];
        Assert.All(alike, c => Assert.InRange(c, 0.75, 1));     // the thinnest strokes are widened
        Assert.InRange(alike.Average(), 0.95, 1);
    }

    // Paper of one shade with rectangles of ink.
    static Picture Paper(int width, int height, byte paper, byte ink, params ReadOnlySpan<(int Left, int Top, int Width, int Height)> strokes)
    {
        Picture picture = new(width, height);
        picture.Fill(0, 0, width, height, new(paper, paper, paper));
        foreach ((int left, int top, int w, int h) in strokes)
            picture.Fill(left, top, w, h, new(ink, ink, ink));
        return picture;
    }

    static readonly (int Left, int Top, int Width, int Height)[] seven = [(60, 30, 50, 12), (98, 42, 12, 70)];

    [Fact]
    public void Ink_may_be_darker_or_lighter_than_paper_of_any_shade()
    {
        byte[] expected = HandDrawn.AsMnist(Paper(200, 137, 255, 0, seven)).Pixels;
        Assert.Equal(255, expected.Max());
        Assert.Equal(0, expected[0]);
        foreach ((byte paper, byte ink) in ((byte, byte)[])[(0, 255), (100, 0), (100, 255), (200, 150), (30, 90)])
            Assert.Equal(expected, HandDrawn.AsMnist(Paper(200, 137, paper, ink, seven)).Pixels);
    }

    // One side of the paper has about a third of the brightness of the other side.
    [Theory]
    [InlineData(1, 0)]
    [InlineData(-1, 0)]
    [InlineData(0, 1)]
    [InlineData(0, -1)]
    [InlineData(0.5, -0.5)]
    public void Light_may_fall_from_one_side(double across, double down)
    {
        foreach ((int x, int y) in ((int, int)[])[(5, 5), (145, 5), (5, 50), (145, 50)])
        {
            (int, int, int, int)[] digit = [(x, y, 50, 12), (x + 38, y + 12, 12, 70)];
            Picture even = Paper(200, 137, 170, 0, digit), shaded = Paper(200, 137, 170, 0, digit);
            for (int i = 0; i < shaded.Pixels.Length; i++)
                if (shaded.Pixels[i] > 0)
                    shaded.Pixels[i] = (byte)(170 + 160 * (across * (i / 3 % 200 / 200.0 - 0.5) + down * (i / 600 / 137.0 - 0.5)));
            Assert.InRange(Correlation(HandDrawn.AsMnist(even), HandDrawn.AsMnist(shaded)), 0.97, 1);
        }
    }

    [Theory]
    [InlineData(50, 12)]        // wide
    [InlineData(12, 50)]
    [InlineData(50, 50)]
    [InlineData(400, 100)]
    [InlineData(18, 6)]         // smaller than 20 pixels
    [InlineData(200, 1)]
    public void The_longer_side_fills_20_pixels_about_the_middle(int width, int height)
    {
        foreach ((int left, int top) in ((int, int)[])[(10, 10), (40, 190), (70, 20)])
        {
            Picture image = HandDrawn.AsMnist(Paper(480, 300, 240, 10, (left, top, width, height)));
            Assert.Equal((28, 28, 1), (image.Width, image.Height, image.Channels));
            int[] inked = [.. Enumerable.Range(0, 784).Where(i => image.Pixels[i] > 0)];
            int columns = inked.Max(i => i % 28) - inked.Min(i => i % 28) + 1, rows = inked[^1] / 28 - inked[0] / 28 + 1;
            Assert.Equal(20, Math.Max(columns, rows));
            Assert.InRange(Math.Min(columns, rows) - 20.0 * Math.Min(width, height) / Math.Max(width, height), -1.5, 4);    // strokes are widened
            double mass = image.Pixels.Sum(v => v);
            Assert.InRange(inked.Sum(i => image.Pixels[i] * (i % 28)) / mass, 13.5, 14.5);
            Assert.InRange(inked.Sum(i => image.Pixels[i] * (i / 28)) / mass, 13.5, 14.5);
        }
    }

    [Fact]
    public void Parts_stay_and_dust_goes()
    {
        byte[] clean = HandDrawn.AsMnist(Paper(200, 137, 240, 20, seven)).Pixels;
        byte[] dusty = HandDrawn.AsMnist(Paper(200, 137, 240, 20, [.. seven, (3, 3, 3, 3), (190, 130, 2, 5), (20, 90, 1, 1)])).Pixels;
        Assert.Equal(clean, dusty);
        byte[] parts = HandDrawn.AsMnist(Paper(200, 137, 240, 20, [.. seven, (60, 70, 12, 12)])).Pixels;
        Assert.Equal(0, LowerLeft(clean));
        Assert.InRange(LowerLeft(parts), 5 * 255, 15 * 255);

        static int LowerLeft(byte[] image) => Enumerable.Range(0, 784).Where(i => i % 28 < 12 && i / 28 > 10).Sum(i => image[i]);
    }

    [Fact]
    public void A_thin_pen_is_widened()
    {
        foreach (int pen in (int[])[1, 3, 8])
        {
            byte[] image = HandDrawn.AsMnist(Paper(500, 500, 255, 0, (200, 50, pen, 400))).Pixels;
            Assert.InRange(Enumerable.Range(0, 28).Sum(x => image[14 * 28 + x]) / 255.0, 1.5, 2.5);
        }
    }

    [Fact]
    public void Where_there_is_no_digit_that_is_said()
    {
        foreach (Picture blank in (Picture[])[new(1, 1), new(300, 1), Paper(90, 90, 255, 0), Paper(90, 90, 200, 180, (30, 30, 30, 30))])
            Assert.StartsWith(
                "the picture shows no digit: it differs from its border by at most ", Assert.Throws<InvalidDataException>(() => HandDrawn.AsMnist(blank)).Message);
    }

    [Fact]
    public void Noise_of_any_size_is_an_image_or_none()
    {
        Random random = new(1);
        int images = 0;
        for (int n = 0; n < 300; n++)
        {
            Picture noise = new(1 + random.Next(40), 1 + random.Next(n % 10 == 0 ? 2000 : 40), n % 2 == 0 ? 1 : 3);
            random.NextBytes(noise.Pixels);
            if (Record.Exception(() => images += HandDrawn.AsMnist(noise).Pixels.Length / 784) is Exception e)
                Assert.IsType<InvalidDataException>(e);
        }
        Assert.InRange(images, 100, 300);
    }
}

using System.Numerics.Tensors;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class KernelSheetTests
{
    // Top left corners of the squares of one colour, at least size pixels wide and high, from top to bottom.
    static List<(int X, int Y)> Squares(Picture picture, Rgb color, int size)
    {
        var found = new List<(int X, int Y)>();
        for (int y = 0; y + size <= picture.Height; y++)
            for (int x = 0; x + size <= picture.Width; x++)
            {
                bool square = !found.Any(f => Math.Abs(f.X - x) < size && Math.Abs(f.Y - y) < size);
                for (int i = 0; square && i < size * size; i++) square = Drawn.At(picture, x + i % size, y + i / size) == color;
                if (square) found.Add((x, y));
            }
        return found;
    }

    [Theory]
    [InlineData(8, 1, 5, 5, 23)]
    [InlineData(2, 3, 2, 4, 23)]
    [InlineData(3, 2, 1, 1, 23)]
    [InlineData(40, 1, 3, 3, 11)]     // smaller squares
    [InlineData(2, 60, 3, 3, 4)]      // no line between them
    public void Every_weight_is_a_square_at_its_place(int outs, int ins, int height, int width, int size)
    {
        // From white to nearly red, then one full red; after training the same in blue.
        int count = outs * ins * height * width;
        float[] before = [.. Enumerable.Range(0, count).Select(i => 0.9f * i / count)];
        before[^1] = 1;
        var after = before.Select(w => -w).ToArray();
        var sheet = KernelSheet.Draw(Tensor.Create(before, [outs, ins, height, width]), Tensor.Create(after, [outs, ins, height, width]));
        Assert.InRange(sheet.Width, 1, 2100);
        Assert.InRange(sheet.Height, 1, 2100);

        // The last weight of the last kernel is the reddest, after training the bluest; found, they give away both grids.
        var (redX, redY) = Assert.Single(Squares(sheet, Rgb.BlueWhiteRed(1), size));
        var (blueX, blueY) = Assert.Single(Squares(sheet, Rgb.BlueWhiteRed(-1), size));
        Assert.Equal(redX, blueX);
        Assert.True(blueY > redY, "after stands below before");

        int cell = size >= 7 ? size + 1 : size, gap = Math.Max(cell / 2, 2), line = cell - size;
        for (int i = 0; i < count; i++)
        {
            int x = i % width, y = i / width % height, c = i / (width * height) % ins, o = i / (width * height * ins);
            int left = (width - 1 - x) * cell + (outs - 1 - o) * (width * cell + 2 - line + gap);
            int up = (height - 1 - y) * cell + (ins - 1 - c) * (height * cell + 2 - line + gap);
            foreach (var (dx, dy) in new[] { (0, 0), (size - 1, 0), (size - 1, size - 1) })
            {
                Assert.Equal(Rgb.BlueWhiteRed(before[i]), Drawn.At(sheet, redX - left + dx, redY - up + dy));
                Assert.Equal(Rgb.BlueWhiteRed(after[i]), Drawn.At(sheet, blueX - left + dx, blueY - up + dy));
            }
            if (x == 0) Assert.Equal(new Rgb(144, 144, 144), Drawn.At(sheet, redX - left - 1, redY - up));    // the border
        }
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(1, 2)]
    public void Before_and_after_are_on_one_scale(float before, float after)
    {
        var sheet = KernelSheet.Draw(Tensor.Create([before], [1, 1, 1, 1]), Tensor.Create([after], [1, 1, 1, 1]));
        int full = Assert.Single(Squares(sheet, Rgb.BlueWhiteRed(1), 23)).Y;
        int half = Assert.Single(Squares(sheet, Rgb.BlueWhiteRed(0.5f), 23)).Y;
        Assert.Equal(before > after, full < half);
    }

    [Fact]
    public void Blue_is_negative_white_zero_and_red_positive()
    {
        Assert.Equal(new(255, 255, 255), Rgb.BlueWhiteRed(0));
        Assert.Equal(new(178, 24, 43), Rgb.BlueWhiteRed(1));
        Assert.Equal(new(33, 102, 172), Rgb.BlueWhiteRed(-1));
        Assert.Equal(new(216, 140, 149), Rgb.BlueWhiteRed(0.5f));
        Assert.Equal(Rgb.BlueWhiteRed(1), Rgb.BlueWhiteRed(float.PositiveInfinity));
        Assert.Equal(new(128, 128, 128), Rgb.BlueWhiteRed(float.NaN));
    }

    [Fact]
    public void Weights_that_are_zero_or_not_finite_are_drawn_too()
    {
        float[] zeros = [0, 0], odd = [float.NaN, float.NegativeInfinity];
        var sheet = KernelSheet.Draw(Tensor.Create(zeros, [1, 1, 1, 2]), Tensor.Create(odd, [1, 1, 1, 2]));
        Assert.Single(Squares(sheet, Rgb.BlueWhiteRed(float.NaN), 23));
        Assert.Single(Squares(sheet, Rgb.BlueWhiteRed(-1), 23));
        Assert.Empty(Squares(sheet, Rgb.BlueWhiteRed(1), 23));
    }

    [Fact]
    public void Titles_stand_above_their_kernels_and_numbers_beside_their_colours()
    {
        var weights = Tensor.Create([1f], [1, 1, 1, 1]);
        var sheet = KernelSheet.Draw(weights, weights, "before", "after");
        int[] tops = [.. Squares(sheet, Rgb.BlueWhiteRed(1), 23).Select(s => s.Y)];
        Assert.Equal((24, tops[0] - 25), Assert.Single(Drawn.Find(sheet, "before")));
        Assert.Equal((24, tops[1] - 25), Assert.Single(Drawn.Find(sheet, "after")));
        foreach ((string text, float value) in new[] { ("1.0", 1), ("0.0", 0), ("−1.0", -1f) })
        {
            (int x, int y) = Assert.Single(Drawn.Find(sheet, text, Drawing.Label));
            Assert.InRange(Drawn.At(sheet, x - 12, y + 5).Green, Rgb.BlueWhiteRed(value).Green - 6, Rgb.BlueWhiteRed(value).Green + 6);
        }
        string wide = new('n', 1000);
        Assert.Equal(
            sheet.Width - Drawing.Width("before", Drawing.Title) + Drawing.Width(wide, Drawing.Title), KernelSheet.Draw(weights, weights, wide).Width);
    }

    [Fact]
    public void Weights_of_another_shape_are_refused()
    {
        Tensor<float> four = Tensor.CreateFromShape<float>([2, 1, 3, 3]), other = Tensor.CreateFromShape<float>([1, 2, 3, 3]);
        var fault = Assert.Throws<ArgumentException>(() => KernelSheet.Draw(four, other));
        Assert.Equal("expected two weights of one shape [out, in, kH, kW], got [2, 1, 3, 3] and [1, 2, 3, 3]", fault.Message);
        var flat = Tensor.CreateFromShape<float>([18]);
        Assert.Throws<ArgumentException>(() => KernelSheet.Draw(flat, flat));
        var none = Tensor.CreateFromShape<float>([0, 1, 3, 3]);
        Assert.Throws<ArgumentException>(() => KernelSheet.Draw(none, none));
    }
}

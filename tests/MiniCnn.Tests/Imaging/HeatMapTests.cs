using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class HeatMapTests
{
    [Fact]
    public void Every_number_is_a_square_of_its_colour()
    {
        float[,] map = { { 0, 1, 2 }, { 4, 3, float.NaN } };
        Picture tile = HeatMap.Tile(map, cell: 5);
        Assert.Equal((15, 10), (tile.Width, tile.Height));
        for (int y = 0; y < 10; y++)
            for (int x = 0; x < 15; x++)
                Assert.Equal(Rgb.Inferno(map[y / 5, x / 5] / 4), Drawn.At(tile, x, y));

        Assert.Equal(Rgb.Inferno(0.3f), Drawn.At(HeatMap.Tile(map, 1, (0, 10)), 1, 1));             // a scale of several maps
        float[,] signed = { { -2, 1, 0 } };
        Picture both = HeatMap.Tile(signed);
        Assert.Equal([Rgb.BlueWhiteRed(-1), Rgb.BlueWhiteRed(0.5f), Rgb.BlueWhiteRed(0)], Enumerable.Range(0, 3).Select(x => Drawn.At(both, x, 0)));
        Assert.Equal(Rgb.Inferno(0), Drawn.At(HeatMap.Tile(new float[,] { { 7, 7 } }), 1, 0));      // all alike
        Assert.Equal(Rgb.Inferno(float.NaN), Drawn.At(HeatMap.Tile(new[,] { { float.NaN } }), 0, 0));
        Assert.Throws<ArgumentException>(() => HeatMap.Tile(new float[0, 2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => HeatMap.Tile(map, cell: 0));
    }

    [Fact]
    public void A_map_stands_beside_its_scale()
    {
        Picture sheet = HeatMap.Draw(new float[,] { { 0.5f, 1, 1 }, { 2, 1, 1 } }, "a map", cell: 40);
        (int left, int top) = (24, 48);
        Assert.Equal((24, 24), Assert.Single(Drawn.Find(sheet, "a map")));
        Assert.Equal(Rgb.Inferno(0), Drawn.At(sheet, left, top));
        Assert.Equal(Rgb.Inferno(1), Drawn.At(sheet, left, top + 79));
        Assert.Equal(Rgb.Inferno(1 / 3f), Drawn.At(sheet, left + 119, top + 79));
        int bar = left + 120 + 16;
        Assert.Equal(Rgb.Inferno(1), Drawn.At(sheet, bar, top));
        Assert.Equal(Rgb.Inferno(0), Drawn.At(sheet, bar + 15, top + 95));
        string[] numbers = ["0.5", "1.0", "1.5", "2.0"];                        // each beside its colour
        Assert.Equal([.. Enumerable.Range(0, 4).Select(i => (bar + 26, top + (int)Math.Round(95 - 95 * i / 3.0) - 5))], numbers.Select(text => Number(sheet, text)));
        Assert.Equal((bar + 26 + Drawing.Width("0.5", Drawing.Label) + 24, top + 96 + 24), (sheet.Width, sheet.Height));

        Picture signed = HeatMap.Draw(new float[,] { { -0.25f, 1 } });
        Assert.Equal(48 - 1, Number(signed, "−1.0").Y - Number(signed, "0.0").Y);   // white stays zero: both ends are equally far
        Assert.Equal(48, Number(signed, "0.0").Y - Number(signed, "1.0").Y);

        static (int X, int Y) Number(Picture sheet, string text) => Assert.Single(Drawn.Find(sheet, text, Drawing.Label));
    }

    [Fact]
    public void Over_a_photo_the_largest_number_glows_where_it_stands_and_the_smallest_changes_nothing()
    {
        Picture photo = new(80, 60);
        photo.Fill(0, 0, 80, 60, new(90, 120, 150));
        for (int hot = 0; hot < 12; hot++)
        {
            float[,] map = new float[3, 4];
            for (int i = 0; i < 12; i++)
                map[i / 4, i % 4] = i == hot ? 5 : -1;
            Picture over = HeatMap.Over(photo, map);
            Assert.Equal((80, 60, 3), (over.Width, over.Height, over.Channels));
            int warmest = Enumerable.Range(0, 80 * 60).MaxBy(i => over.Pixels[3 * i]), column = warmest % 80, row = warmest / 80;
            Assert.Equal((hot % 4, hot / 4), (column / 20, row / 20));
            (int farX, int farY) = (hot % 4 < 2 ? 79 : 0, hot / 4 < 2 ? 59 : 0);
            Assert.Equal(new(90, 120, 150), Drawn.At(over, farX, farY));
            Assert.Equal(new Rgb(90, 120, 150), Drawn.At(photo, column, row));  // the photo itself stays
        }
        Assert.Equal(photo.Pixels, HeatMap.Over(photo, new float[2, 2]).Pixels);
        Assert.Equal(3, HeatMap.Over(new Picture(9, 9, channels: 1), new float[,] { { 1, 2 } }).Channels);
        Assert.Throws<ArgumentException>(() => HeatMap.Over(photo, new float[1, 0]));
    }

    [Fact]
    public void Enlarged_it_has_no_steps()
    {
        Picture over = HeatMap.Over(new Picture(160, 160), new float[,] { { 0, 0, 0 }, { 0, 1, 0 }, { 0, 0, 0 } });
        for (int x = 1; x < 160; x++)
            Assert.InRange(over.Pixels[(80 * 160 + x) * 3] - over.Pixels[(80 * 160 + x - 1) * 3], -12, 12);
        Assert.InRange(over.Pixels[(80 * 160 + 80) * 3], 150, 255);
        Assert.InRange(over.Pixels[(80 * 160 + 80) * 3] - over.Pixels[(80 * 160 + 88) * 3], 0, 12);     // round at the top
    }

    [Fact]
    public void Inferno_is_matplotlibs_at_its_tenths_and_grows_brighter_all_the_way()
    {
        Assert.Equal([new(0, 0, 4), new(188, 55, 84), new(252, 255, 164)], new[] { 0, 0.5f, 1 }.Select(Rgb.Inferno));
        Assert.Equal(new(204, 68, 71), Rgb.Inferno(0.55f));
        Assert.Equal(Rgb.Inferno(0), Rgb.Inferno(-3));
        Assert.Equal(Rgb.Inferno(1), Rgb.Inferno(float.PositiveInfinity));
        double[] luminance = [.. Enumerable.Range(0, 101).Select(i => Rgb.Inferno(i / 100f)).Select(c => 0.2126 * c.Red + 0.7152 * c.Green + 0.0722 * c.Blue)];
        Assert.All(luminance.Zip(luminance.Skip(1)), pair => Assert.True(pair.Second > pair.First));
    }
}

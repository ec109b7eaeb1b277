using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class ContactSheetTests
{
    [Fact]
    public void Every_picture_stands_whole_at_its_place_in_the_grid()
    {
        // Of sizes and colours of their own, on two columns: where each is found says that it is there, whole, and in order.
        (int Width, int Height)[] sizes = [(20, 10), (31, 22), (9, 40), (40, 8), (12, 12)];
        (string Title, Picture Picture)[] tiles = [.. sizes.Select((size, i) => ($"t{i}", Flat(size.Width, size.Height, new((byte)(10 + i), 0, 200))))];
        foreach (int scale in new[] { 1, 3 })
        {
            Picture sheet = ContactSheet.Draw(tiles, columns: 2, scale);
            (int X, int Y)[] places = [.. tiles.Select((tile, i) => Find(sheet, new((byte)(10 + i), 0, 200), sizes[i].Width * scale, sizes[i].Height * scale))];
            int column = 40 * scale + 16;
            Assert.Equal([24, 24 + column, 24, 24 + column, 24], places.Select(p => p.X));
            Assert.Equal(places[0].Y, places[1].Y);
            Assert.Equal(places[2].Y, places[3].Y);
            Assert.Equal(places[0].Y + 22 * scale + 16 + 24, places[2].Y);      // the highest of the row, a gap, a title
            Assert.Equal(places[2].Y + 40 * scale + 16 + 24, places[4].Y);
            Assert.Equal((2 * 24 + 2 * column - 16, places[4].Y + 12 * scale + 24), (sheet.Width, sheet.Height));
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 3)]
    [InlineData(3, 1)]
    [InlineData(3, 4)]
    public void Every_pixel_is_a_square_of_its_colour_in_a_line_of_grey(int channels, int scale)
    {
        Picture noise = new(13, 9, channels);
        new Random(7).NextBytes(noise.Pixels);
        Picture sheet = ContactSheet.Draw([("", noise)], columns: 1, scale);
        Assert.Equal(channels, sheet.Channels);
        for (int y = 0; y < 9 * scale; y++)
            for (int x = 0; x < 13 * scale; x++)
                Assert.Equal(Drawn.At(noise, x / scale, y / scale), Drawn.At(sheet, 24 + x, 24 + y));
        foreach ((int x, int y) in new[] { (23, 23), (24 + 13 * scale, 23), (23, 24 + 9 * scale), (24 + 13 * scale, 24 + 9 * scale) })
            Assert.Equal(new Rgb(144, 144, 144), Drawn.At(sheet, x, y));
    }

    [Fact]
    public void Titles_stand_above_their_pictures_broken_where_they_are_too_long()
    {
        Rgb one = new(0, 200, 0), two = new(0, 0, 200);
        int three = Drawing.Width("ab ab ab", Drawing.Title);
        Picture sheet = ContactSheet.Draw([("ab", Flat(three - 1, 30, one)), ("ab ab ab", Flat(three - 1, 30, two))], columns: 3);
        (int left, int top) = Find(sheet, one, three - 1, 30);
        (int right, int same) = Find(sheet, two, three - 1, 30);
        Assert.Equal(top, same);
        Assert.Equal(24 + 2 * 21 + 3, top);                                     // two lines: “ab ab ab” is a pixel too wide
        Assert.Equal([(left, top - 24), (right, top - 24)], Drawn.Find(sheet, "ab").Order());
        Assert.Equal((right, top - 45), Assert.Single(Drawn.Find(sheet, "ab ab")));

        Assert.Single(Drawn.Find(ContactSheet.Draw([("ab ab ab", Flat(three, 30, one))], columns: 1), "ab ab ab"));

        // A word that is wider than every picture makes room for itself; without titles there is no room for them.
        Assert.Equal(48 + Drawing.Width("nnnnnnnnnn", Drawing.Title), ContactSheet.Draw([("nnnnnnnnnn", Flat(5, 5, one))], columns: 1).Width);
        Assert.Equal(48 + 5, ContactSheet.Draw([("", Flat(5, 5, one))], columns: 1).Height);
    }

    [Fact]
    public void Grey_pictures_give_a_grey_sheet_and_a_single_colour_one_in_colour()
    {
        Picture grey = new(3, 2, channels: 1), color = new(3, 2);
        grey.Pixels[4] = 77;
        Picture sheet = ContactSheet.Draw([("", grey), ("", grey)], columns: 2);
        Assert.Equal(1, sheet.Channels);
        Assert.Equal(2, sheet.Pixels.Count(p => p == 77));
        Assert.Equal(3, ContactSheet.Draw([("", grey), ("", color)], columns: 2).Channels);
    }

    [Fact]
    public void A_pair_tells_the_sizes()
    {
        Picture pair = ContactSheet.Pair("in", Flat(140, 70, new(0, 200, 0)), "out", Flat(138, 68, new(0, 0, 200)));
        (int left, int top) = Find(pair, new(0, 200, 0), 140, 70);
        (int right, int same) = Find(pair, new(0, 0, 200), 138, 68);
        Assert.Equal(top, same);
        Assert.Equal((left, top - 24), Assert.Single(Drawn.Find(pair, "in, 140×70")));
        Assert.Equal((right, top - 24), Assert.Single(Drawn.Find(pair, "out, 138×68")));
    }

    [Fact]
    public void Nothing_to_show_is_refused()
    {
        Assert.Throws<ArgumentException>(() => ContactSheet.Draw([], columns: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => ContactSheet.Draw([("", new Picture(1, 1))], columns: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => ContactSheet.Draw([("", new Picture(1, 1))], columns: 1, scale: 0));
    }

    static Picture Flat(int width, int height, Rgb color)
    {
        Picture picture = new(width, height);
        picture.Fill(0, 0, width, height, color);
        return picture;
    }

    // The one rectangle of a colour: its corner, and that it is as large as told.
    static (int X, int Y) Find(Picture picture, Rgb color, int width, int height)
    {
        (int X, int Y)[] places = [.. Drawn.Places(picture, color)];
        Assert.Equal(width * height, places.Length);
        (int left, int top) = (places.Min(p => p.X), places.Min(p => p.Y));
        Assert.Equal((left + width - 1, top + height - 1), (places.Max(p => p.X), places.Max(p => p.Y)));
        return (left, top);
    }
}

using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Runs examples/ImageFilters as a process.</summary>
public sealed class ImageFiltersExampleTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Stride_and_padding_of_the_lecture_with_the_formula_filled_in()
    {
        Picture flower = Noise(612, 459, channels: 3), grey = flower.ToGrey();
        string[] lines = Filter(flower, "--keep", "--kernel", "box-blur-5", "--padding", "2", "--stride", "2");
        Assert.Contains("height: ⌊(459 + 2·2 − 1·(5−1) − 1)/2⌋ + 1 = 230", lines);
        Assert.Contains("width:  ⌊(612 + 2·2 − 1·(5−1) − 1)/2⌋ + 1 = 306", lines);
        Assert.Equal("box blur 5×5: 612×459 → 306×230", lines[^1]);

        Picture filtered = Result("filtered.png"), padded = Result("padded.png");
        Assert.Equal((306, 230, 1), (filtered.Width, filtered.Height, filtered.Channels));
        Assert.Equal((616, 463, 1), (padded.Width, padded.Height, padded.Channels));
        Assert.Equal(grey.Pixels, padded.Crop(2, 2, 612, 459).Pixels);
        Assert.Equal(0, padded.Pixels.Take(616 * 2).Max());
        for (int i = 0; i < filtered.Pixels.Length; i++)
        {
            int sum = padded.Crop(i % 306 * 2, i / 306 * 2, 5, 5).Pixels.Sum(p => p);
            Assert.InRange(filtered.Pixels[i] - sum / 25.0, -0.501, 0.501);
        }
        Picture pair = Result("pair.png");
        Assert.Single(Drawn.Find(pair, "before, 612×459"));
        Assert.Single(Drawn.Find(pair, "box blur 5×5, 306×230"));
    }

    [Fact]
    public void The_lectures_numbers_flipped_biased_and_rescaled()
    {
        Picture image = new(5, 5, channels: 1);
        byte[] pixels = [1, 2, 4, 2, 1, 4, 7, 3, 2, 1, 4, 5, 2, 3, 1, 2, 1, 7, 8, 4, 3, 2, 4, 7, 8];
        pixels.CopyTo(image.Pixels, 0);
        const string Kernel = "1 0 1; 0 2 1; 1 0 1";
        Filter(image, "--keep", "--kernel", Kernel);
        Assert.Equal([28, 20, 13, 28, 25, 22, 22, 39, 35], Result("filtered.png").Pixels);
        Filter(image, "--keep", "--kernel", Kernel, "--normalize", "area", "--bias", "-2");
        Assert.Equal([1, 0, 0, 1, 1, 0, 0, 2, 2], Result("filtered.png").Pixels);              // 28/9 − 2 = 1.1
        Filter(image, "--keep", "--kernel", Kernel, "--normalize", "sum", "--bias", "100");
        Assert.Equal([104, 103, 102, 104, 104, 103, 103, 106, 105], Result("filtered.png").Pixels);
        Filter(image, "--keep", "--kernel", Kernel, "--flip");
        Assert.Equal([29, 25, 15, 30, 27, 23, 17, 32, 38], Result("filtered.png").Pixels);     // 1 0 1; 1 2 0; 1 0 1
        string[] lines = Filter(image, "--keep", "--kernel", Kernel, "--display", "rescale");
        Assert.Contains("values from 13.0 to 39.0, rescaled to 0 to 255", lines);
        Assert.Equal([147, 69, 0, 147, 118, 88, 88, 255, 216], Result("filtered.png").Pixels);
    }

    [Fact]
    public void Twice_over_a_photo_of_224_pixels_it_loses_two_pixels_each_time()
    {
        string[] lines = Filter(Noise(300, 200, channels: 3), "--kernel", "sharp", "--repeat", "2", "--color", "rgb");
        Assert.Equal(["= 222", "= 222", "= 220", "= 220"], lines.Where(line => line.Contains('⌊', StringComparison.Ordinal)).Select(line => line[^5..]));
        Assert.Equal("sharpen: 224×224 → 220×220", lines[^1]);
        Assert.Equal(3, Result("filtered.png").Channels);
        lines = Filter(
            Noise(40, 30, channels: 3), "--kernel", "outline", "--size", "50x60", "--padding", "same", "--padding-mode", "circular", "--dilation", "3");
        Assert.Contains("height: ⌊(60 + 2·3 − 3·(3−1) − 1)/1⌋ + 1 = 60", lines);
        Picture padded = Result("padded.png");
        Assert.Equal((56, 66), (padded.Width, padded.Height));
        Assert.Equal(padded.Crop(50, 60, 6, 6).Pixels, padded.Crop(0, 0, 6, 6).Pixels);
    }

    [Fact]
    public void All_is_the_contact_sheet_of_the_bank_on_a_test_card_where_there_is_no_photo()
    {
        (int code, string output, string error) = Example.Run(
            "ImageFilters", "--all", "--size", "64x48", "--padding", "same", "--padding-mode", "reflect", "--out", Path.Combine(folder, "out"));
        Assert.True(code == 0, error);
        Assert.Equal("14 kernels", output.TrimEnd().Split('\n')[^1]);
        Assert.Contains("test card", output, StringComparison.Ordinal);
        Picture card = TestCard.Draw(64, 48).ToGrey();
        Picture expected = ContactSheet.Draw(
            [("original", card), .. ImageFilters.All.Select(f => (f.Name, f.Apply(card, paddingMode: PaddingMode.Reflect)))], columns: 5);
        Assert.Equal(expected.Pixels, Result("filters.png").Pixels);
    }

    [Fact]
    public void What_is_wrong_is_one_line_and_leaves_nothing_behind()
    {
        string broken = Path.Combine(folder, "broken.jpg");
        File.WriteAllBytes(broken, [0xFF, 0xD8, 0xFF, 0xE0, 0, 16]);
        Fails(1, "nowhere.jpg", Path.Combine(folder, "nowhere.jpg"));
        Fails(1, "broken.jpg", broken);
        Fails(2, "no kernel blur", "--kernel", "blur");
        Fails(2, "box-blur-3x3 or box-blur-5x5", "--kernel", "box");
        Fails(2, "rows of 2, 1 numbers", "--kernel", "1 2; 3");
        Fails(2, "'same' padding", "--padding", "same", "--stride", "2");
        Fails(2, "--padding", "--padding", "-1");
        Fails(2, "--dilation must be a whole number of at least 1, not 0", "--dilation", "0");
        Fails(2, "add up to 0", "--kernel", "sobel-h", "--normalize", "sum");
        Fails(2, "'clip' 'rescale'", "--display", "loud");
        Fails(2, "--size", "--size", "9x9");
        Fails(2, "there is no option --frobnicate", "--frobnicate");
        Fails(1, "padded input is 4×4", "--size", "16x16", "--kernel", "box-blur-5", "--repeat", "5");

        void Fails(int expected, string word, params string[] arguments)
        {
            string results = Path.Combine(folder, "out");
            (int code, _, string error) = Example.Run("ImageFilters", [.. arguments, "--out", results]);
            Assert.Equal(expected, code);
            Assert.Single(error.TrimEnd().Split('\n'));
            Assert.Contains(word, error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
            Assert.False(Directory.Exists(results));
        }
    }

    string[] Filter(Picture photo, params string[] options)
    {
        string path = Path.Combine(folder, "photo.png");
        photo.Save(path);
        (int code, string output, string error) = Example.Run("ImageFilters", [path, .. options, "--out", Path.Combine(folder, "out")]);
        Assert.True(code == 0, error);
        return output.TrimEnd().Split('\n');
    }

    Picture Result(string file) => Picture.Load(Path.Combine(folder, "out", file));

    static Picture Noise(int width, int height, int channels)
    {
        Picture picture = new(width, height, channels);
        new Random(width).NextBytes(picture.Pixels);
        return picture;
    }
}

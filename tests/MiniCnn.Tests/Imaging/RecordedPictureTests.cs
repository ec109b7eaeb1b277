using MiniCnn.Imaging;
using Entry = MiniCnn.SafeTensors.Entry;

namespace MiniCnn.Tests;

/// <summary>Compares decoded pixels with those of PIL, recorded by tests/scripts/record_pictures.py.</summary>
public sealed class RecordedPictureTests
{
    static readonly IReadOnlyDictionary<string, Entry> recorded =
        SafeTensors.Read(Path.Combine(AppContext.BaseDirectory, "recorded", "pil-pictures.safetensors")).Tensors;

    /// <summary>The files with pixels that differ from PIL's, and the largest difference.</summary>
    static readonly Dictionary<string, int> exceptions = new()
    {
        ["bmp/16 bits, 5-5-5"] = 1,             // of five bits PIL makes x · 255/31, rounded down; Skia repeats the upper bits
        ["bmp/16 bits, 5-6-5"] = 1,
        ["gif/smaller than its canvas"] = 73,   // around the frame PIL has the palette's first color, Skia nothing; that is white here
    };

    public static TheoryData<string> Resizes => [.. Names("resize", "/from")];

    /// <summary>The recorded files of a format.</summary>
    public static List<byte[]> Files(string format) => [.. Names(format, "/file").Select(File)];

    public static byte[] File(string name) => recorded[name + "/file"].Data.ToArray();

    /// <summary>The content of a file: the class indices of a mask or the pixels of a picture.</summary>
    public static Picture Load(string format, byte[] file) =>
        format.StartsWith("mask", StringComparison.Ordinal) ? Picture.LoadMask(new MemoryStream(file)) : Picture.Load(new MemoryStream(file));

    static IEnumerable<string> Names(string format, string ending) =>
        recorded.Keys.Where(key => key.StartsWith(format + "/", StringComparison.Ordinal) && key.EndsWith(ending, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Select(key => key[..^ending.Length]);

    [Theory]
    [InlineData("jpeg", 303)]
    [InlineData("png", 88)]
    [InlineData("webp", 19)]
    [InlineData("gif", 7)]
    [InlineData("bmp", 18)]
    [InlineData("mask", 40)]
    public void Files_of_every_kind_have_the_pixels_of_PIL(string format, int count)
    {
        string[] names = [.. Names(format, "/file")];
        Assert.Equal(count, names.Length);
        List<string> faults = [];
        foreach (string name in names)
        {
            Entry expected = recorded[name + "/pixels"];
            Picture picture = Load(format, File(name));
            int off = picture.Pixels.Zip(expected.Data.ToArray(), (a, b) => Math.Abs(a - b)).Max();
            if (!expected.Shape.SequenceEqual([picture.Height, picture.Width, picture.Channels]))
                faults.Add($"{name}: {picture.Height}×{picture.Width}×{picture.Channels}, not {expected}");
            else if (off != exceptions.GetValueOrDefault(name))
                faults.Add($"{name}: off by up to {off}");
        }
        Assert.Empty(faults);
    }

    [Fact]
    public void The_documents_say_how_many_there_are()
    {
        int all = new[] { "jpeg", "png", "webp", "gif", "bmp" }.Sum(format => Files(format).Count);
        Assert.Contains($"On {all - exceptions.Count} of {all} recorded files", System.IO.File.ReadAllText(Path.Combine(Repository.Root, "docs", "training.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void There_are_PNGs_of_every_kind() =>
        Assert.Equal(30, Files("png").Select(f => (f[25], f[24], f[28])).Distinct().Count());      // type, depth, interlace

    [Fact]
    public void There_are_masks_of_every_kind() =>
        Assert.Equal(32, Files("mask").Select(f => (f[25], f[24], f[28], f.AsSpan().IndexOf("tRNS"u8) >= 0)).Distinct().Count());

    [Theory, MemberData(nameof(Resizes))]
    public void Resizing_is_equal_to_the_bit(string name)
    {
        Picture from = Of(recorded[name + "/from"]);
        byte[] before = [.. from.Pixels];
        foreach ((Fit fit, string how) in ((Fit, string)[])[(Fit.Stretch, "to"), (Fit.Letterbox, "letterbox"), (Fit.CenterCrop, "crop")])
        {
            if (!recorded.TryGetValue($"{name}/{how}", out Entry? to))
                continue;
            (int height, int width) = ((int)to.Shape[0], (int)to.Shape[1]);
            Same(to, from.Resize(width, height, fit));
            Assert.Equal(before, from.Pixels);
            if (from.Channels == 1)
                Assert.Equal(recorded[$"{name}/{how}, nearest"].Data.ToArray(), Resampling.Nearest(from, width, height, fit, around: 255));
        }
    }

    [Fact]
    public void There_are_resizes() => Assert.Equal((26, 26, 24), (Resizes.Count, Count("/crop"), Count("/letterbox")));

    static int Count(string end) => recorded.Keys.Count(name => name.EndsWith(end, StringComparison.Ordinal));

    [Fact]
    public void Grey_is_equal_to_the_bit() => Same(recorded["grey/grey"], Of(recorded["grey/rgb"]).ToGrey());

    // [H, W, channels]
    static Picture Of(Entry pixels)
    {
        Picture picture = new((int)pixels.Shape[1], (int)pixels.Shape[0], (int)pixels.Shape[2]);
        pixels.Data.Span.CopyTo(picture.Pixels);
        return picture;
    }

    static void Same(Entry expected, Picture picture)
    {
        long[] shape = [picture.Height, picture.Width, picture.Channels];
        Assert.Equal(expected.Shape.ToArray(), shape);
        Assert.Equal(expected.Data.ToArray(), picture.Pixels);
    }
}

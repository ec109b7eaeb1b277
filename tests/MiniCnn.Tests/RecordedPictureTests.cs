using MiniCnn.Imaging;
using Entry = MiniCnn.SafeTensors.Entry;

namespace MiniCnn.Tests;

/// <summary>Pictures as PIL has them: tests/record_png.py recorded files and their pixels.</summary>
public sealed class RecordedPictureTests
{
    static readonly IReadOnlyDictionary<string, Entry> recorded =
        SafeTensors.Read(Path.Combine(AppContext.BaseDirectory, "recorded", "pil-pictures.safetensors")).Tensors;

    /// <summary>The recorded files of a format.</summary>
    public static List<byte[]> Files(string format) => [.. Names(format, "/file").Select(name => recorded[name + "/file"].Data.ToArray())];

    public static TheoryData<string> Png => [.. Names("png", "/file")];

    public static TheoryData<string> Netpbm => [.. Names("netpbm", "/file")];

    public static TheoryData<string> Resizes => [.. Names("resize", "/from")];

    static IEnumerable<string> Names(string format, string ending) =>
        recorded.Keys.Where(key => key.StartsWith(format + "/", StringComparison.Ordinal) && key.EndsWith(ending, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Select(key => key[..^ending.Length]);

    [Theory, MemberData(nameof(Png)), MemberData(nameof(Netpbm))]
    public void Files_of_every_kind_have_the_recorded_pixels(string name)
    {
        Picture picture = Picture.Load(new MemoryStream(recorded[name + "/file"].Data.ToArray()));
        Same(recorded[name + "/pixels"], picture);
    }

    [Fact]
    public void There_are_files_of_every_kind()
    {
        Assert.Equal((79, 24, 26), (Png.Count, Netpbm.Count, Resizes.Count));
        (int, int, int)[] kinds = [.. Files("png").Select(f => ((int)f[25], (int)f[24], (int)f[28])).Distinct()];    // type, depth, interlace
        Assert.Equal(30, kinds.Length);
    }

    [Theory, MemberData(nameof(Resizes))]
    public void Resizing_is_equal_to_the_bit(string name)
    {
        (Picture from, Entry to) = (Of(recorded[name + "/from"]), recorded[name + "/to"]);
        byte[] before = [.. from.Pixels];
        Same(to, from.Resize((int)to.Shape[1], (int)to.Shape[0]));
        Assert.Equal(before, from.Pixels);
    }

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

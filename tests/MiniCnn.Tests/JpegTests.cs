using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>JPEG files as PIL has them: tests/record_jpeg.py recorded them with their pixels.</summary>
public sealed class JpegTests
{
    static readonly IReadOnlyDictionary<string, SafeTensors.Entry> recorded =
        SafeTensors.Read(Path.Combine(AppContext.BaseDirectory, "recorded", "pil-jpeg.safetensors")).Tensors;

    static readonly string[] names = [.. recorded.Keys.Where(key => key.EndsWith("/file", StringComparison.Ordinal)).Select(key => key[..^5])];

    public static byte[] File(string name) => recorded[name + "/file"].Data.ToArray();

    [Fact]
    public void Every_kind_of_file_has_the_pixels_of_PIL()
    {
        List<string> faults = [];
        foreach (string name in names)
        {
            SafeTensors.Entry expected = recorded[name + "/pixels"];
            Picture picture = Jpeg.Decode(File(name));
            if (!expected.Shape.SequenceEqual([picture.Height, picture.Width, picture.Channels]))
                faults.Add($"{name}: {picture.Height}×{picture.Width}×{picture.Channels}, not {expected}");
            else if (!expected.Data.Span.SequenceEqual(picture.Pixels))
                faults.Add($"{name}: off by up to {picture.Pixels.Zip(expected.Data.ToArray(), (a, b) => Math.Abs(a - b)).Max()}");
        }
        Assert.Empty(faults);
    }

    // A byte may be eight blocks of a progressive file, and such a block up to 1,024 pixels where the components' samples are sparse.
    [Fact]
    public void Mutated_files_give_a_picture_or_are_refused() =>
        MutatedFiles.Decode([.. names.Select(File)], file => Jpeg.Decode(file), memoryPerByte: 7000);
}

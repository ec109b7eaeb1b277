using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using SkiaSharp;
using TorchSharp;

namespace MiniCnn.Tests;

/// <summary>TorchSharp's package asks for an old SkiaSharp and Google.Protobuf; the central versions win, and all work in one process.</summary>
public sealed class PackageVersionTests
{
    [Fact]
    public void TorchSharp_SkiaSharp_and_Protobuf_work_together()
    {
        Assert.Equal(3, torch.ones(3).sum().item<float>());

        using SKBitmap bitmap = new(2, 2);
        using (SKCanvas canvas = new(bitmap))
            canvas.Clear(SKColors.Red);
        using SKBitmap decoded = SKBitmap.Decode(bitmap.Encode(SKEncodedImageFormat.Png, 100).ToArray());
        Assert.Equal(SKColors.Red, decoded.GetPixel(1, 1));

        Timestamp time = Timestamp.FromDateTime(DateTime.UnixEpoch.AddSeconds(5));
        Assert.Equal(time, Timestamp.Parser.ParseFrom(time.ToByteArray()));

        Assert.Equal(new Version(4, 155, 0, 0), typeof(SKBitmap).Assembly.GetName().Version);
        Assert.Equal(new Version(3, 36, 2, 0), typeof(Timestamp).Assembly.GetName().Version);
    }

    /// <summary>TorchVision, which was built against the old SkiaSharp, decodes and encodes with the newer one.</summary>
    [Fact]
    public void TorchVision_reads_and_writes_a_picture_with_the_newer_SkiaSharp()
    {
        torchvision.io.SkiaImager skia = new();
        byte[] pixels = [.. Enumerable.Range(0, 3 * 5 * 7).Select(i => (byte)(2 * i))];
        using torch.Tensor image = torch.tensor(pixels).reshape(3, 5, 7);
        byte[] png = skia.EncodeImage(image, torchvision.ImageFormat.Png);
        Assert.Equal([0x89, (byte)'P'], png[..2]);
        using torch.Tensor again = skia.DecodeImage(png, torchvision.io.ImageReadMode.RGB);
        Assert.Equal(pixels, again.reshape(-1).data<byte>().ToArray());
    }

    /// <summary>TorchSharp's events are messages of Protobuf.</summary>
    [Fact]
    public void TorchSharp_writes_events_with_the_newer_Protobuf()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("minicnn-");
        try
        {
            torch.utils.tensorboard.SummaryWriter(folder.FullName).add_scalar("a loss", 0.5f, 1);
            FileInfo events = Assert.Single(folder.GetFiles());
            Assert.True(File.ReadAllBytes(events.FullName).AsSpan().IndexOf("a loss"u8) > 0);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}

using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Decodes damaged image files in child processes, since a fault in native code ends the process.</summary>
public sealed partial class MutatedPictureTests
{
    const int Pixels = 4_000_000, BytesOfAPixel = 32;

    /// <summary>
    /// Decodes mutations of each format in as many processes as there are processors. The environment variable MINICNN_FUZZ sets their number; the default is
    /// 2,000.
    /// </summary>
    [Theory]
    [InlineData("jpeg")]
    [InlineData("png")]
    [InlineData("webp")]
    [InlineData("gif")]
    [InlineData("bmp")]
    [InlineData("mask")]
    public void Mutated_files_give_a_picture_or_are_refused(string format)
    {
        int count = int.Parse(Environment.GetEnvironmentVariable("MINICNN_FUZZ") ?? "2000", CultureInfo.InvariantCulture);
        int processes = Math.Min(Environment.ProcessorCount, (count + 9999) / 10000), share = (count + processes - 1) / processes, pictures = 0;
        Parallel.For(0, processes, i => Interlocked.Add(ref pictures, Run(format, i * share, Math.Min(share, count - i * share))));
        Assert.InRange(pictures, count / 20, count - count / 20);      // both ways are walked
    }

    static int Run(string format, int first, int count)
    {
        string[] program = [typeof(MutatedPictureTests).Assembly.Location, "pictures", format];
        (int code, string output, string error) = Processes.Run(new("dotnet", [.. program, $"{first}", $"{count}"]));
        string last = output.TrimEnd().Split(Environment.NewLine)[^1];
        Assert.True(
            code == 0 && last.EndsWith($" of {count}", StringComparison.Ordinal),
            $"exit code {code} at mutation {last}: dotnet {string.Join(' ', program)} {last} 1\n{error}");
        return int.Parse(last.Split(' ')[0], CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// Decodes mutations. Each mutation is a function of its number. Writes each number before decoding, and the number of decoded pictures at the end. Throws
    /// for any exception other than <see cref="PictureFormatException"/>, for a message of several lines, for wrong pixels, and for more memory than allowed.
    /// </summary>
    internal static void Decode(string format, int first, int count)
    {
        Picture.MaxFilePixels = Pixels;
        byte[][] files = [.. RecordedPictureTests.Files(format).Where(file => file.Length < 1300)];
        foreach (byte[] file in files) RecordedPictureTests.Load(format, file);
        using Process self = Process.GetCurrentProcess();
        long before = self.PeakWorkingSet64;
        int pictures = 0, number = first, seen = -1;
        using Timer watch = new(_ =>
        {
            if (Interlocked.Exchange(ref seen, number) == number) Environment.FailFast($"mutation {number} takes more than 20 s");
        }, null, TimeSpan.Zero, TimeSpan.FromSeconds(20));
        for (; number < first + count; number++)
        {
            Console.WriteLine(number);
            byte[] file = MutatedFiles.Mutate(files, number);
            if (format is "png" or "mask" && number % 2 == 1) MendPng(file);
            try
            {
                Picture picture = RecordedPictureTests.Load(format, file);
                pictures++;
                if (!picture.Pixels.AsSpan().SequenceEqual(RecordedPictureTests.Load(format, file).Pixels))
                    throw new InvalidDataException("other pixels the second time");
                if (picture.Pixels.Length > Pixels / 4) GC.Collect();      // what is measured is what decoding takes
            }
            catch (PictureFormatException refused) when (refused.Message.Length > 0 && !refused.Message.Any(char.IsControl))
            {
            }
        }
        self.Refresh();
        long taken = self.PeakWorkingSet64 - before, most = (long)BytesOfAPixel * Pixels + (32 << 20);
        if (taken > most) throw new InvalidDataException($"{taken} bytes of memory were taken; {most} at most");
        Console.WriteLine($"{pictures} of {count}");
    }

    // Makes a PNG's signature and lengths right where the chunks' names are still there, and all check sums: what is behind them is reached.
    static void MendPng(byte[] file)
    {
        byte[] signature = [0x89, .. "PNG\r\n\x1A\n"u8];
        signature.AsSpan(0, Math.Min(8, file.Length)).CopyTo(file);
        int[] chunks = [.. ChunkNames().Matches(Encoding.Latin1.GetString(file)).Select(m => m.Index), file.Length + 4];
        for (int i = 0; i + 1 < chunks.Length; i++)
            if (chunks[i] >= 12 && chunks[i + 1] - chunks[i] >= 12)
                BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(chunks[i] - 4), chunks[i + 1] - chunks[i] - 12);
        RepairPng(file);
    }

    /// <summary>Corrects all checksums of a PNG.</summary>
    internal static void RepairPng(byte[] file)
    {
        for (int at = 8; file.Length - at >= 12;)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            if (length > file.Length - at - 12) return;
            at += 8 + (int)length;
            BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(at), Crc(file.AsSpan((at - 4 - (int)length)..at)));
            at += 4;
        }
    }

    static uint Crc(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data)
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (((crc ^ (uint)(b >> bit)) & 1) * 0xEDB88320);
        return ~crc;
    }

    [GeneratedRegex("IHDR|PLTE|tRNS|IDAT|IEND|tEXt|gAMA|iCCP")]
    private static partial Regex ChunkNames();
}

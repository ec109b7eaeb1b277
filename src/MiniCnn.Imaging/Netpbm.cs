using System.Buffers.Binary;
using System.Text;

namespace MiniCnn.Imaging;

// PGM (grey) and PPM (RGB) files, in bytes (P5, P6) or as text (P2, P3). See https://netpbm.sourceforge.net/doc/ppm.html.
static class Netpbm
{
    // Samples of 0 to maxval (up to 65535) become the nearest of 0 to 255.
    internal static Picture Decode(ReadOnlySpan<byte> file)
    {
        if (file is not [(byte)'P', (byte)'2' or (byte)'3' or (byte)'5' or (byte)'6', byte next, ..] || !(IsBlank(next) || next == '#'))
            throw new PictureFormatException("expected P2, P3, P5 or P6 and a blank");
        string what = $"a P{(char)file[1]}";
        (bool text, int channels) = (file[1] <= '3', file[1] is (byte)'2' or (byte)'5' ? 1 : 3);
        int at = 2;
        int width = Number(file, ref at, $"{what}'s width"), height = Number(file, ref at, $"{what}'s height");
        int maxval = Number(file, ref at, $"{what}'s maxval");
        Picture.CheckFileSize(what, width, height);
        if (maxval is 0 or > ushort.MaxValue) throw new PictureFormatException($"{what} with maxval {maxval}, not 1 to 65535");

        // Text has at least a digit and a blank for each sample.
        long samples = (long)width * height * channels, needed = text ? 2 * samples - 1 : maxval < 256 ? samples : 2 * samples;
        if (file.Length - at < needed)
            throw new PictureFormatException($"{what} of {width}×{height} pixels needs {needed} bytes after its header, got {Math.Max(file.Length - at, 0)}");
        Picture picture = new(width, height, channels);
        byte[] levels = [.. Enumerable.Range(0, maxval + 1).Select(v => (byte)Math.Round((double)v / maxval * 255))];
        for (int i = 0; i < picture.Pixels.Length; i++)
        {
            int sample = text ? Number(file, ref at, $"a sample of {what}")
                : maxval < 256 ? file[at + i] : BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2 * i)..]);
            if (sample > maxval) throw new PictureFormatException($"{what} with a sample of {sample}, above its maxval {maxval}");
            picture.Pixels[i] = levels[sample];
        }
        return picture;
    }

    // The next number and the blank behind it. Before it may stand blanks and comments, from # to the end of the line; a comment may be the blank.
    static int Number(ReadOnlySpan<byte> file, ref int at, string what)
    {
        while (at < file.Length && (IsBlank(file[at]) || file[at] == '#')) SkipBlank(file, ref at);
        int number = 0, start = at;
        for (; at < file.Length && char.IsAsciiDigit((char)file[at]); at++)
            number = Math.Min(10 * number + file[at] - '0', 100_000_000);    // larger ones are refused alike
        bool ends = at == file.Length || IsBlank(file[at]) || file[at] == '#';
        if (at == start || !ends)
            throw new PictureFormatException(
                $"{what}: expected a number, got {(at == file.Length ? "the end of the file" : $"byte {file[at]:X2}")} at {at}");
        SkipBlank(file, ref at);
        return number;
    }

    // One blank, or a comment with the end of its line.
    static void SkipBlank(ReadOnlySpan<byte> file, ref int at)
    {
        int comment = at < file.Length && file[at] == '#' ? file[at..].IndexOfAny("\r\n"u8) : 0;
        at = comment < 0 ? file.Length : Math.Min(at + comment + 1, file.Length);
    }

    static bool IsBlank(byte b) => b is (byte)' ' or (>= 9 and <= 13);

    // P5 or P6, maxval 255.
    internal static void Write(Stream stream, Picture picture)
    {
        stream.Write(Encoding.ASCII.GetBytes($"P{(picture.Channels == 1 ? 5 : 6)}\n{picture.Width} {picture.Height}\n255\n"));
        stream.Write(picture.Pixels);
    }
}

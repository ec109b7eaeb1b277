using System.Buffers.Binary;
using SkiaSharp;

namespace MiniCnn.Imaging;

/// <summary>Reads the EXIF orientation of a picture, as PIL does.</summary>
static class Exif
{
    /// <summary>The EXIF orientation, 1 to 8 (EXIF 2.3, 4.6.4 A, tag 112 hex). It is 1, upright, if the file has no readable orientation.</summary>
    public static int Orientation(ArraySegment<byte> file, SKEncodedImageFormat format)
    {
        ReadOnlySpan<byte> exif = format switch
        {
            SKEncodedImageFormat.Jpeg => JpegFile.Segments(file).TakeWhile(segment => segment.Marker != JpegFile.Scan)
                .FirstOrDefault(segment => segment.Marker == 0xE1 && segment.Content.AsSpan().StartsWith("Exif\0"u8)).Content,
            SKEncodedImageFormat.Png => InPng(file),
            SKEncodedImageFormat.Webp => InWebp(file),
            _ => [],
        };
        if (exif.StartsWith("Exif\0\0"u8)) exif = exif[6..];
        bool big = exif.StartsWith("MM"u8);                                     // the byte order
        if (exif.Length < 8 || (!big && !exif.StartsWith("II"u8))) return 1;

        double orientation = 1;
        long at = (long)Number(exif[4..8], big) + 2;                            // offset of the first entry, after the number of entries
        for (ulong left = at <= exif.Length ? Number(exif[(int)(at - 2)..(int)at], big) : 0; left > 0 && at + 12 <= exif.Length; left--, at += 12)
        {
            ReadOnlySpan<byte> entry = exif.Slice((int)at, 12);                 // tag, type, count, and the values or their offset
            ulong type = Number(entry[2..4], big), count = Number(entry[4..8], big);
            ulong size = type switch { 6 => 1, 3 or 8 => 2, 4 or 9 or 11 or 13 => 4, 5 or 10 or 12 or 16 => 8, _ => 0 };
            ulong start = count * size <= 4 ? (ulong)at + 8 : Number(entry[8..12], big);
            if (Number(entry[..2], big) != 0x112 || count * size == 0 || start + count * size > (ulong)exif.Length) continue;
            ReadOnlySpan<byte> value = exif.Slice((int)start, (int)size);       // the first value
            ulong number = Number(value, big);
            orientation = type switch
            {
                5 or 10 => (int)Number(value[..4], big) / (double)(int)Number(value[4..], big),
                11 => BitConverter.UInt32BitsToSingle((uint)number),
                12 => BitConverter.UInt64BitsToDouble(number),
                _ => number,
            };
        }
        return orientation is 2 or 3 or 4 or 5 or 6 or 7 or 8 ? (int)orientation : 1;
    }

    static ulong Number(ReadOnlySpan<byte> bytes, bool big)
    {
        ulong number = 0;
        for (int i = 0; i < bytes.Length; i++) number = (number << 8) | bytes[big ? i : ^(i + 1)];
        return number;
    }

    // The last eXIf chunk before the pixels or, if there is none, the last one after them.
    static ReadOnlySpan<byte> InPng(ReadOnlySpan<byte> png)
    {
        ReadOnlySpan<byte> exif = [];
        for (long at = 8, length; at + 12 <= png.Length; at += 12 + length)     // length, name, content, checksum
        {
            length = BinaryPrimitives.ReadUInt32BigEndian(png[(int)at..]);
            ReadOnlySpan<byte> name = png.Slice((int)at + 4, 4);
            if (name.SequenceEqual("IDAT"u8) && exif.Length > 0) break;
            if (at + 12 + length <= png.Length && name.SequenceEqual("eXIf"u8)) exif = png.Slice((int)at + 8, (int)length);
        }
        return exif;
    }

    // The first EXIF chunk. Chunks are padded to even lengths.
    static ReadOnlySpan<byte> InWebp(ReadOnlySpan<byte> webp)
    {
        for (long at = 12, length; at + 8 <= webp.Length; at += 8 + length + length % 2)
        {
            length = BinaryPrimitives.ReadUInt32LittleEndian(webp[(int)(at + 4)..]);
            if (at + 8 + length <= webp.Length && webp.Slice((int)at, 4).SequenceEqual("EXIF"u8)) return webp.Slice((int)at + 8, (int)length);
        }
        return [];
    }
}

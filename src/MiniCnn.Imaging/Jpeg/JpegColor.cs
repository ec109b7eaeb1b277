using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MiniCnn.Imaging;

/// <summary>Components become pixels, row by row.</summary>
static class JpegColor
{
    /// <summary>Rows are taken by vectors, which read and write so far past their end.</summary>
    public const int Slack = 64;

    public static Picture ToPicture(JpegFrame frame, JpegSpace space)
    {
        Picture picture = new(frame.Width, frame.Height, space == JpegSpace.Grey ? 1 : 3);
        JpegUpsampling[] planes = [.. frame.Components.Select(c => new JpegUpsampling(frame, c))];
        int length = frame.Width * picture.Channels;
        byte[] pixels = new byte[length + Slack];
        for (int y = 0; y < frame.Height; y++)
        {
            ReadOnlySpan<byte> row = planes[0].Row(y);
            if (space != JpegSpace.Grey)
            {
                Three(row, planes[1].Row(y), planes[2].Row(y), pixels, frame.Width, fromYCbCr: space is JpegSpace.YCbCr or JpegSpace.Ycck);
                if (space is JpegSpace.Cmyk or JpegSpace.Ycck) Print(pixels.AsSpan(0, length), planes[3].Row(y), space);
                row = pixels;
            }
            row[..length].CopyTo(picture.Pixels.AsSpan(y * length));
        }
        return picture;
    }

    // JFIF 1.02: R = Y + 1.402 Cr, G = Y − 0.34414 Cb − 0.71414 Cr, B = Y + 1.772 Cb, with 16 bits after the point.
    static void Three(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, Span<byte> pixels, int width, bool fromYCbCr)
    {
        Vector256<int> half = Vector256.Create(1 << 15);
        Vector128<byte> threeOfFour = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
        for (int x = 0; x < width; x += 8)
        {
            Vector256<int> r = Eight(first[x..]), g = Eight(second[x..]), b = Eight(third[x..]);
            if (fromYCbCr)
            {
                Vector256<int> luma = r, cb = g - Vector256.Create(128), cr = b - Vector256.Create(128);
                r = Byte(luma + ((cr * 91881 + half) >> 16));
                g = Byte(luma + ((cb * -22554 - cr * 46802 + half) >> 16));
                b = Byte(luma + ((cb * 116130 + half) >> 16));
            }
            Vector256<byte> four = (r | g << 8 | b << 16).AsByte();
            Vector128.Shuffle(four.GetLower(), threeOfFour).CopyTo(pixels[(3 * x)..]);
            Vector128.Shuffle(four.GetUpper(), threeOfFour).CopyTo(pixels[(3 * x + 12)..]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> Eight(ReadOnlySpan<byte> samples)
    {
        Vector128<ushort> eight = Vector128.WidenLower(Vector128.Create(samples));
        return Vector256.WidenLower(eight.ToVector256Unsafe()).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> Byte(Vector256<int> a) => Vector256.Min(Vector256.Max(a, Vector256<int>.Zero), Vector256.Create(255));

    // Four inks on white. As Adobe writes them: 255 is no ink, and YCbCr has made cyan, magenta and yellow of it the right way round.
    static void Print(Span<byte> pixels, ReadOnlySpan<byte> black, JpegSpace space)
    {
        for (int i = 0; i < pixels.Length; i++)
        {
            int light = black[i / 3], ink = space == JpegSpace.Cmyk ? 255 - pixels[i] : pixels[i], product = ink * light + 128;
            pixels[i] = (byte)(light - ((product + (product >> 8)) >> 8));    // light · (1 − ink / 255), rounded
        }
    }
}

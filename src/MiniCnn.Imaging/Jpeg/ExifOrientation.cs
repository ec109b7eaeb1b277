using System.Buffers.Binary;

namespace MiniCnn.Imaging;

/// <summary>How a camera was held (EXIF 2.3, 4.6.4 A, tag 112 hex): what row 0 and column 0 of the file are in the picture.</summary>
static class ExifOrientation
{
    /// <summary>The orientation, 1 to 8, that a TIFF header and its first directory give; 1 when they do not, or make no sense.</summary>
    public static int Read(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8) return 1;
        bool little = tiff[0] == 'I';
        if (!tiff.StartsWith(little ? "II*\0"u8 : "MM\0*"u8)) return 1;
        uint directory = little ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (directory > tiff.Length - 2) return 1;
        ReadOnlySpan<byte> entries = tiff[(int)directory..];
        int count = Short(entries);
        for (entries = entries[2..]; count > 0 && entries.Length >= 12; count--, entries = entries[12..])
            if (Short(entries) == 0x0112 && Short(entries[2..]) == 3 && Short(entries[8..]) is >= 1 and <= 8 and int value)
                return value;
        return 1;

        int Short(ReadOnlySpan<byte> at) => little ? BinaryPrimitives.ReadUInt16LittleEndian(at) : BinaryPrimitives.ReadUInt16BigEndian(at);
    }

    /// <summary>The picture turned and mirrored so that it stands upright.</summary>
    public static Picture Upright(Picture picture, int orientation)
    {
        if (orientation == 1) return picture;
        bool sideways = orientation >= 5;                               // rows of the file are columns of the picture
        bool right = orientation is 2 or 3 or 7 or 8;                   // column 0 of the result comes from the file's last column
        bool bottom = orientation is 3 or 4 or 6 or 7;                  // likewise its rows
        int width = picture.Width, height = picture.Height, channels = picture.Channels;
        Picture upright = sideways ? new(height, width, channels) : new(width, height, channels);
        for (int y = 0, to = 0; y < upright.Height; y++)
            for (int x = 0; x < upright.Width; x++, to += channels)
            {
                (int column, int row) = sideways ? (y, x) : (x, y);
                if (right) column = width - 1 - column;
                if (bottom) row = height - 1 - row;
                picture.Pixels.AsSpan((row * width + column) * channels, channels).CopyTo(upright.Pixels.AsSpan(to));
            }
        return upright;
    }
}

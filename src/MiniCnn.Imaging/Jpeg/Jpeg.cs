namespace MiniCnn.Imaging;

/// <summary>
/// Decodes JPEG files: ITU-T T.81 (https://www.w3.org/Graphics/JPEG/itu-t81.pdf) in its baseline, extended sequential and progressive
/// Huffman forms, 8 bits a sample, within a JFIF, EXIF or Adobe file. The order of reading: JpegReader takes the file's segments,
/// JpegScan walks the blocks of a scan, JpegBlock decodes one from bits (JpegBits, JpegHuffman), JpegIdct makes samples of it,
/// JpegUpsampling and JpegColor make pixels of samples, ExifOrientation turns them upright.
/// </summary>
/// <remarks>
/// T.81 leaves the rounding open. Inverse DCT, upsampling and colours are here computed in whole numbers as libjpeg does by default,
/// so that the pixels are those that libjpeg-turbo, PIL and torchvision give. A file that ends early or contradicts itself is refused.
/// </remarks>
static class Jpeg
{
    /// <summary>The picture in <paramref name="file"/>, upright: grey stays grey, all else becomes RGB.</summary>
    /// <exception cref="PictureFormatException">The file is no JPEG, is damaged, or of a kind that is not read here.</exception>
    internal static Picture Decode(ReadOnlySpan<byte> file)
    {
        JpegReader reader = new(file);
        reader.Read();
        Picture picture = JpegColor.ToPicture(reader.Frame!, reader.Space());
        return ExifOrientation.Upright(picture, reader.Orientation);
    }

    internal static PictureFormatException Fault(string what) => new($"a JPEG {what}");
}

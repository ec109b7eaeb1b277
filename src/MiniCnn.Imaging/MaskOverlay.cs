namespace MiniCnn.Imaging;

/// <summary>Draws segmentation masks over their photos, each class in its color.</summary>
public static class MaskOverlay
{
    /// <summary>
    /// Draws a half-transparent mask over a photo, each index in the color of <see cref="ColorOf"/>. Index 0, the background, leaves the photo
    /// unchanged.
    /// </summary>
    /// <param name="photo">Grey or RGB.</param>
    /// <param name="mask">A grey picture of class indices, of the size of the photo, as read by <see cref="Picture.LoadMask(string)"/>.</param>
    /// <exception cref="ArgumentException">The mask is not grey, or has another size than the photo.</exception>
    public static Picture Draw(Picture photo, Picture mask)
    {
        ArgumentNullException.ThrowIfNull(photo);
        ArgumentNullException.ThrowIfNull(mask);
        if (mask.Channels != 1)
            throw new ArgumentException("expected a mask, a grey picture of class indices, got an RGB picture; read it with Picture.LoadMask", nameof(mask));
        if ((mask.Width, mask.Height) != (photo.Width, photo.Height))
            throw new ArgumentException(
                $"expected a mask of the size of the photo, {photo.Width}×{photo.Height}, got {mask.Width}×{mask.Height}", nameof(mask));
        Picture over = photo.ToRgb();
        for (int i = 0; i < mask.Pixels.Length; i++)
            if (mask.Pixels[i] != 0)
                over.Colors[i] = over.Colors[i].Towards(ColorOf(mask.Pixels[i]), 0.5f);
        return over;
    }

    /// <summary>The color of a class in the color map of PASCAL VOC. 0 is black; 255, <see cref="MaskedImages.Ignored"/>, is white.</summary>
    /// <remarks>
    /// Bits 0, 3 and 6 of the index are the highest bits of red, bits 1, 4 and 7 those of green, bits 2 and 5 those of blue, as in VOClabelcolormap.m
    /// of the VOC development kit: http://host.robots.ox.ac.uk/pascal/VOC/voc2012/#devkit.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The index is below 0 or above 255.</exception>
    public static Rgb ColorOf(int index)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(index, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, MaskedImages.Ignored);
        return index == MaskedImages.Ignored ? new(255, 255, 255) : new(Spread(index), Spread(index >> 1), Spread(index >> 2));

        // Moves bits 0, 3 and 6 to bits 7, 6 and 5.
        static byte Spread(int bits) => (byte)(((bits & 1) << 7) | ((bits & 8) << 3) | ((bits & 64) >> 1));
    }
}

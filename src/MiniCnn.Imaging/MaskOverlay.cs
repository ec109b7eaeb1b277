namespace MiniCnn.Imaging;

/// <summary>Masks as a person sees them: over their photos, each class in its colour.</summary>
public static class MaskOverlay
{
    /// <summary>
    /// A photo with a mask over it, half transparent, each index in the colour of <see cref="ColorOf"/>; index 0, the background, leaves the photo as
    /// it is.
    /// </summary>
    /// <param name="photo">Grey or RGB.</param>
    /// <param name="mask">Class indices, in grey, of the photo's size: as <see cref="Picture.LoadMask(string)"/> reads them.</param>
    /// <exception cref="ArgumentException">The mask is not grey, or not of the photo's size.</exception>
    public static Picture Draw(Picture photo, Picture mask)
    {
        ArgumentNullException.ThrowIfNull(photo);
        ArgumentNullException.ThrowIfNull(mask);
        if (mask.Channels != 1)
            throw new ArgumentException("a mask is a grey picture of class indices, not one in colour; Picture.LoadMask reads it so", nameof(mask));
        if ((mask.Width, mask.Height) != (photo.Width, photo.Height))
            throw new ArgumentException(
                $"the mask has {mask.Width}×{mask.Height} pixels, the photo {photo.Width}×{photo.Height}; they must have the same", nameof(mask));
        Picture over = photo.ToRgb();
        for (int i = 0; i < mask.Pixels.Length; i++)
            if (mask.Pixels[i] != 0)
                over.Colors[i] = over.Colors[i].Towards(ColorOf(mask.Pixels[i]), 0.5f);
        return over;
    }

    /// <summary>The colour of a class: that of PASCAL VOC's colour map; 0 is black, and 255, <see cref="MaskedImages.Ignored"/>, white.</summary>
    /// <remarks>
    /// Bits 0, 3 and 6 of the index are the highest bits of red, bits 1, 4 and 7 those of green, bits 2 and 5 those of blue, as VOClabelcolormap.m
    /// of the VOC development kit has them: http://host.robots.ox.ac.uk/pascal/VOC/voc2012/#devkit.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The index is not 0 to 255.</exception>
    public static Rgb ColorOf(int index)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(index, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, MaskedImages.Ignored);
        return index == MaskedImages.Ignored ? new(255, 255, 255) : new(Spread(index), Spread(index >> 1), Spread(index >> 2));

        // Bits 0, 3 and 6 as bits 7, 6 and 5.
        static byte Spread(int bits) => (byte)(((bits & 1) << 7) | ((bits & 8) << 3) | ((bits & 64) >> 1));
    }
}

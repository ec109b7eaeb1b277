using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>Batches of images with masks, and augmentations that move both together.</summary>
public sealed class MaskedImagesTests
{
    static readonly ImageShape shape = new(2, 3, 4);

    /// <summary>Ten images with distinct bytes and mask values. The last pixel of each third image has no class.</summary>
    static MaskedImages Ten() => new(
        [.. Enumerable.Range(0, 240).Select(i => (byte)i)],
        [.. Enumerable.Range(0, 120).Select(i => i % 36 == 35 ? MaskedImages.Ignored : (byte)(i % 5))],
        shape, classes: 5, classNames: ["ground", "a", "b", "c", "d"]);

    [Fact]
    public void A_batch_has_a_label_for_each_pixel_and_minus_100_where_there_is_no_class()
    {
        MaskedImages images = Ten();
        Assert.Equal((10, 5, shape), (images.Count, images.Classes, images.Shape));
        Batch[] batches = [.. images.Batches(4)];
        Assert.Equal([48, 48, 24], batches.Select(batch => batch.Labels.Length));
        Assert.Equal(Enumerable.Range(0, 120).Select(i => i % 36 == 35 ? -100 : i % 5), batches.SelectMany(batch => batch.Labels));
        Assert.Equal(96 / 255f, batches[1].Images[0, 0, 0, 0]);                              // mean 0, std 1
        Assert.Equal([23, 23, 23, 24, 24], images.CountLabels());

        // Shuffled: a mask goes with its image.
        foreach ((Tensor<float> x, int[] labels) in images.Batches(3, seed: 5))
            for (int n = 0; n < x.Lengths[0]; n++)
            {
                int first = (int)MathF.Round(255 * x[n, 0, 0, 0]) / 2;                       // of the image in the masks
                Assert.Equal(Enumerable.Range(first, 12).Select(i => i % 36 == 35 ? -100 : i % 5), labels[(12 * n)..(12 * n + 12)]);
            }
    }

    [Fact]
    public void Parts_keep_masks_names_and_normalization()
    {
        MaskedImages images = Ten().WithNormalization([0.5f, 0.25f], [2, 0.125f]);
        (MaskedImages train, MaskedImages validation) = images.Split(0.3, seed: 1);
        Assert.Equal((7, 3, 4), (train.Count, validation.Count, images.Take(4).Count));
        Assert.Equal(images.CountLabels(), train.CountLabels().Zip(validation.CountLabels(), (a, b) => a + b));
        foreach (MaskedImages part in (MaskedImages[])[train, validation, images.Take(4)])
        {
            Assert.Equal((0.25f, 0.125f, "ground"), (part.Mean[1], part.Std[1], part.ClassNames[0]));
            for (int n = 0; n < part.Count; n++)
                Assert.Equal(Enumerable.Range(part.Pixels[24 * n] / 2, 12).Select(i => i % 36 == 35 ? 255 : i % 5), [.. part.Masks.Slice(12 * n, 12).ToArray().Select(b => (int)b)]);
        }
    }

    /// <summary>An image that is the picture of its mask still matches the mask after any augmentation, away from edges.</summary>
    [Theory]
    [InlineData("flips")]
    [InlineData("turns")]
    [InlineData("rotation")]
    [InlineData("crop")]
    [InlineData("scale")]
    public void A_mask_moves_as_its_image_does(string kind)
    {
        Augmentation augmentation = kind switch
        {
            "flips" => new() { HorizontalFlip = true, VerticalFlip = true },
            "turns" => new() { QuarterTurns = true, HorizontalFlip = true },
            "rotation" => new() { Rotation = 90, QuarterTurns = true },
            "crop" => new() { CropPadding = 7, Cutout = 5, Brightness = 0.3 },
            _ => new() { Scale = 0.3, VerticalFlip = true, Rotation = 20 },
        };
        (int height, int width) = kind is "turns" or "rotation" ? (24, 24) : (20, 28);
        const int Count = 40;
        byte[] masks = new byte[Count * height * width];
        for (int i = 0; i < masks.Length; i++)                                               // four fields of other sizes, in other corners of each image
        {
            (int n, int row, int column) = (i / (height * width), i / width % height, i % width);
            masks[i] = (byte)((row < 5 + n % 11 ? 0 : 2) + (column < 8 + n % 7 ? 0 : 1));
        }
        masks[0] = MaskedImages.Ignored;
        byte[] pixels = Array.ConvertAll(masks, index => index == MaskedImages.Ignored ? (byte)0 : (byte)(60 * index));
        MaskedImages images = new(pixels, masks, new(1, height, width), classes: 4);
        (Tensor<float> x, int[] labels) = images.Batches(Count, seed: 3, augmentation).Single();
        int[] order = Permutation.Random(Count, 3);
        int moved = 0, compared = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            (int n, int row, int column) = (i / (height * width), i / width % height, i % width);
            // Next to an edge of two fields bilinear mixes, and what is cut out is of no brightness.
            bool isInside = row > 0 && row < height - 1 && column > 0 && column < width - 1
                && labels[i - width - 1] == labels[i] && labels[i - width + 1] == labels[i] && labels[i + width - 1] == labels[i] && labels[i + width + 1] == labels[i];
            float value = 255 * x[n, 0, row, column] / 60;
            if (isInside && labels[i] != -100 && (augmentation.Cutout == 0 || value != 0))
            {
                compared++;
                Assert.Equal(labels[i], value, augmentation.Brightness > 0 ? 0.3f * labels[i] + 1e-4f : 1e-4f);
            }
            moved += labels[i] != masks[order[n] * height * width + i % (height * width)] ? 1 : 0;
        }
        Assert.True(moved > labels.Length / 20 && compared > labels.Length / 2, $"{moved} moved, {compared} compared of {labels.Length}");
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Refused("masks of 3×4 take 12 bytes each; got 13 in all", 24, new byte[13], 2);
        Refused("2 masks need 2 images of 2×3×4, 48 bytes in total; got 24", 24, new byte[24], 2);
        Refused("mask 1 is 3 in row 2, column 1; with 3 classes it must be 0 to 2, or 255 for no class", 48, [.. new byte[21], 3, .. new byte[2]], 3);
        Refused("masks have 1 to 255 classes, not 256", 24, new byte[12], 256);
        Refused("images of 0×3×4: every size must be at least 1", 0, new byte[12], 2, new(0, 3, 4));
        Refused("images of 1×0×4: every size must be at least 1", 0, [], 2, new(1, 0, 4));

        static void Refused(string message, int pixels, byte[] masks, int classes, ImageShape? other = null) => Assert.StartsWith(
            message, Assert.Throws<ArgumentException>(() => new MaskedImages(new byte[pixels], masks, other ?? shape, classes)).Message, StringComparison.Ordinal);
    }
}

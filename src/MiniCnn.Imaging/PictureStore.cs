using System.Security.Cryptography;

namespace MiniCnn.Imaging;

/// <summary>
/// The pictures of a folder, resized to the training size. As many as fit into the memory budget are kept in memory; the others are read again on each access.
/// </summary>
sealed class PictureStore(string root, IReadOnlyList<string> names, ImageShape shape, Fit fit, MemoryBudget budget)
{
    readonly NativeImages images = new((int)shape.Length);                                      // [C, H, W] each
    readonly int[] places = [.. Enumerable.Repeat(-1, names.Count)];                            // index in `images` of each picture; −1: read again
    readonly ImageSummary[] summaries = new ImageSummary[names.Count];

    /// <summary>Stores the image of a picture.</summary>
    public void Add(int i, byte[] image)
    {
        summaries[i] = ImageSummary.Of(image, shape.Channels);
        if (budget.TryTake(image.Length)) places[i] = images.Add(image);
    }

    public int InMemory => images.Count;

    /// <summary>The images of the given pictures, which must all be added.</summary>
    public ImageSource Source(int[] kept) => new ImageSource(names.Count, i => places[i] >= 0 ? images[places[i]] : Again(i), i => summaries[i]).Pick(kept);

    byte[] Again(int i)
    {
        string path = Path.Combine(root, names[i]);
        try
        {
            byte[] image = PictureFolder.Read(path, stream => Picture.Load(stream, ToImage));
            return SHA256.HashData(image).AsSpan().SequenceEqual(summaries[i].Hash) ? image : throw new IOException("the picture has changed");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"{path}: cannot be read again: {e.Message}; pictures outside the memory budget are read in each epoch: do not change the files, "
                + "load smaller images or use a larger memoryBudget", e);
        }
    }

    /// <summary>Converts a picture to an image, [C, H, W].</summary>
    public byte[] ToImage(Picture picture)
    {
        if (picture.Channels != shape.Channels)
            picture = shape.Channels == 1 ? picture.ToGrey() : picture.ToRgb();
        byte[] pixels = picture.Resize(shape.Width, shape.Height, fit).Pixels, image = new byte[pixels.Length];
        int plane = shape.Height * shape.Width;
        for (int c = 0; c < shape.Channels; c++)
            for (int i = 0; i < plane; i++)
                image[c * plane + i] = pixels[i * shape.Channels + c];
        return image;
    }
}

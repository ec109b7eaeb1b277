using System.Security.Cryptography;

namespace MiniCnn.Imaging;

/// <summary>
/// The pictures of a folder at the size they are trained with: in memory as far as a budget goes, the others read again whenever they are asked for.
/// </summary>
sealed class PictureStore(string root, IReadOnlyList<string> names, ImageShape shape, Fit fit, MemoryBudget budget)
{
    readonly NativeImages images = new((int)shape.Length);                                      // [C, H, W] each
    readonly int[] places = [.. Enumerable.Repeat(-1, names.Count)];                            // of the pictures among these; −1: read again
    readonly ImageSummary[] summaries = new ImageSummary[names.Count];

    /// <summary>Takes the image of a picture.</summary>
    public void Add(int i, byte[] image)
    {
        summaries[i] = ImageSummary.Of(image, shape.Channels);
        if (budget.TryTake(image.Length)) places[i] = images.Add(image);
    }

    public int InMemory => images.Count;

    /// <summary>Some of the pictures, all of which were read.</summary>
    public ImageSource Source(int[] kept) => new ImageSource(names.Count, i => places[i] >= 0 ? images[places[i]] : Again(i), i => summaries[i]).Pick(kept);

    byte[] Again(int i)
    {
        string path = Path.Combine(root, names[i]);
        try
        {
            byte[] image = PictureFolder.Read(path, stream => Picture.Load(stream, ToImage));
            return SHA256.HashData(image).AsSpan().SequenceEqual(summaries[i].Hash) ? image : throw new IOException("it is another picture now");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"{path}: is read in each epoch, as memory does not hold all pictures, and cannot be read again: {e.Message}; leave the files alone, or load "
                + "smaller images or with a larger memoryBudget", e);
        }
    }

    /// <summary>[C, H, W].</summary>
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

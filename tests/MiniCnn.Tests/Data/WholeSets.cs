namespace MiniCnn.Tests;

/// <summary>All pixels or masks of a data set, one image after the other.</summary>
static class WholeSets
{
    extension(ImageDataset images)
    {
        public ReadOnlySpan<byte> Pixels => (byte[])[.. Enumerable.Range(0, images.Count).SelectMany(i => images.Image(i).ToArray())];
    }

    extension(MaskedImages images)
    {
        public ReadOnlySpan<byte> Masks => (byte[])[.. Enumerable.Range(0, images.Count).SelectMany(i => images.Mask(i).ToArray())];
    }
}

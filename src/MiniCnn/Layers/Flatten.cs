namespace MiniCnn;

/// <summary>Flattens each image, [N, C, H, W] → [N, C·H·W], in row-major order: y[(c·H + h)·W + w] = x[c,h,w].</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html.</remarks>
public sealed class Flatten : Layer
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (input.Length > Array.MaxLength)
            Refuse($"{input} has more elements than an array can hold");
        return ImageShape.Features((int)input.Length);
    }

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Copy(x, y, toFlat: true);

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            Copy(dx, dy, toFlat: false);
    }

    /// <summary>Copies image to flat if toFlat, else flat to image. The destination is overwritten.</summary>
    internal static void Copy<T>(LaneTensor<T> image, LaneTensor<T> flat, bool toFlat) where T : unmanaged =>
        Workers.RunPlanes(image, new CopyPlane<T>(image, flat, toFlat));

    readonly unsafe struct CopyPlane<T>(LaneTensor<T> image, LaneTensor<T> flat, bool toFlat) : IWork where T : unmanaged
    {
        public void Run(int plane)
        {
            ImageShape shape = image.Shape;
            int block = plane / shape.Channels, channel = plane % shape.Channels;
            for (int row = 0; row < shape.Height; row++)
            {
                Span<T> pixels = new(image.At(block, channel, row), image.RowLength);
                Span<T> features = new(flat.At(block, (channel * shape.Height + row) * shape.Width, 0), image.RowLength);
                (toFlat ? pixels : features).CopyTo(toFlat ? features : pixels);
            }
        }
    }
}

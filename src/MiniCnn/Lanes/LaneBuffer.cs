namespace MiniCnn;

/// <summary>
/// A reusable lane tensor. It is allocated on first use, and again if the lanes, shape or margin change. Its memory grows to the largest batch and is
/// reused for smaller ones. Its content is kept until the next Take.
/// </summary>
sealed class LaneBuffer<T> where T : unmanaged
{
    LaneTensor<T>? tensor;

    /// <summary>The tensor of the last Take, with its content.</summary>
    public LaneTensor<T> Kept => tensor!;

    /// <summary>Returns the tensor with lanes and number of images as in another one. Its images are unspecified; its margin is zeros.</summary>
    public LaneTensor<T> Take(LaneTensor<T> like, ImageShape shape, Padding margin = default) => Take(like.Lanes, like.Count, shape, margin);

    public LaneTensor<T> Take(int lanes, int count, ImageShape shape, Padding margin = default)
    {
        if (tensor is null || tensor.Lanes != lanes || tensor.Shape != shape || tensor.Margin != margin)
        {
            tensor?.Free();
            tensor = new(lanes, shape, margin);
        }
        return tensor.Resize(count);
    }

    /// <summary>Returns the images with at least this margin of zeros: the same tensor if its margin is large enough, otherwise a copy.</summary>
    public LaneTensor<T> Widen(LaneTensor<T> images, Padding margin) =>
        images.Margin.Covers(margin) ? images : Take(images, images.Shape, margin).CopyFrom(images);
}

namespace MiniCnn;

/// <summary>
/// A lane tensor to work in: made when it is first asked for, and anew for another shape. It grows to the largest batch and serves smaller ones;
/// what it holds stays until it is taken again.
/// </summary>
sealed class LaneBuffer<T> where T : unmanaged
{
    LaneTensor<T>? tensor;

    /// <summary>The tensor as it was left.</summary>
    public LaneTensor<T> Kept => tensor!;

    /// <summary>The tensor with room for as many images as another one has; unspecified numbers, and zeros as its margin.</summary>
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

    /// <summary>Images with so many zeros around them: they themselves if they have these, else a copy.</summary>
    public LaneTensor<T> Widen(LaneTensor<T> images, Padding margin) =>
        images.Margin.Covers(margin) ? images : Take(images, images.Shape, margin).CopyFrom(images);
}

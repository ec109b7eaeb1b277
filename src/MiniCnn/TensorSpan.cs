using System.Numerics.Tensors;

namespace MiniCnn;

static class TensorSpan
{
    static readonly nint[] Origin = new nint[4];

    /// <summary>Returns the elements of a tensor in row-major order: its own memory if it is dense and has at most 4 axes, otherwise a copy.</summary>
    public static Span<float> AsSpan(this Tensor<float> tensor)
    {
        if (tensor.FlattenedLength == 0)
            return [];                                           // TryGetSpan throws on an axis of 0
        int length = checked((int)tensor.FlattenedLength);
        if (tensor.IsDense && tensor.Rank <= Origin.Length && tensor.TryGetSpan(Origin.AsSpan(0, tensor.Rank), length, out Span<float> span))
            return span;
        float[] copy = new float[length];
        tensor.FlattenTo(copy);
        return copy;
    }
}

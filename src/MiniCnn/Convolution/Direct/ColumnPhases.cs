namespace MiniCnn;

/// <summary>
/// Splits columns by the stride s into phases: 0, s, 2s, …, then 1, s + 1, 2s + 1, … With one lane, vectors hold neighboring pixels of a row, so the
/// columns that a stride selects must be adjacent.
/// </summary>
static unsafe class ColumnPhases
{
    /// <summary>Number of columns in the longest phase, ⌈columns / stride⌉.</summary>
    public static int Length(int columns, int stride) => (columns - 1) / stride + 1;

    /// <summary>Returns a tensor for images with their columns split into phases.</summary>
    public static LaneTensor<T> Take<T>(LaneBuffer<T> buffer, LaneTensor<T> like, Padding margin, int columns, int stride) where T : unmanaged =>
        buffer.Take(like, new(like.Shape.Channels, like.Shape.Height, stride * Length(columns, stride)), new(margin.Top, 0, margin.Bottom, 0));

    /// <summary>Splits x, including its padding on the left and right, into phases. The forward pass and the gradient of the weight read the result.</summary>
    public static LaneTensor<T> Split<T>(Window2d window, LaneTensor<T> x, LaneBuffer<T> buffer) where T : unmanaged
    {
        (Padding padding, int stride) = (window.Padding, window.Stride.Width);
        int columns = padding.Left + x.Shape.Width + padding.Right;
        LaneTensor<T> split = Take(buffer, x, padding, columns, stride);
        Workers.RunPlanes(split, new SplitPlane<T>(x, padding.Left, columns, stride, split));
        return split;
    }

    /// <summary>Merges the phases into dx.</summary>
    public static void Merge<T>(LaneTensor<T> split, int stride, LaneTensor<T> dx) where T : unmanaged =>
        Workers.RunPlanes(dx, new MergePlane<T>(split, stride, dx));

    readonly struct SplitPlane<T>(LaneTensor<T> x, int left, int columns, int stride, LaneTensor<T> split) : IWork where T : unmanaged
    {
        public void Run(int plane)
        {
            int length = Length(columns, stride);
            for (int row = 0; row < split.Shape.Height; row++)
            {
                T* from = x.At(plane, row) - left, to = split.At(plane, row);
                for (int phase = 0; phase < stride; phase++, to += length)
                    for (int i = 0, column = phase; column < columns; i++, column += stride)
                        to[i] = from[column];
            }
        }
    }

    readonly struct MergePlane<T>(LaneTensor<T> split, int stride, LaneTensor<T> dx) : IWork where T : unmanaged
    {
        public void Run(int plane)
        {
            int length = Length(dx.Shape.Width, stride);
            for (int row = 0; row < dx.Shape.Height; row++)
            {
                T* from = split.At(plane, row), to = dx.At(plane, row);
                for (int phase = 0; phase < stride; phase++, from += length)
                    for (int i = 0, column = phase; column < dx.Shape.Width; i++, column += stride)
                        to[column] = from[i];
            }
        }
    }
}

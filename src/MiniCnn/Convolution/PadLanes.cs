using System.Numerics;
using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>The pad step before a convolution whose padding is not zeros, and its gradient.</summary>
static unsafe class PadLanes
{
    /// <summary>y = x with its padding around it, as part of the image.</summary>
    public static void Forward<T>(Window2d window, LaneTensor<T> x, LaneTensor<T> y) where T : unmanaged, INumberBase<T> =>
        Workers.RunPlanes(y, new Plane<T>(window, x, y, gradient: false));

    /// <summary>dx = each pixel's own gradient and those of its copies in the padding, added in the order of dy; overwritten.</summary>
    public static void Backward<T>(Window2d window, LaneTensor<T> dy, LaneTensor<T> dx) where T : unmanaged, INumberBase<T> =>
        Workers.RunPlanes(dx, new Plane<T>(window, dx, dy, gradient: true));

    /// <summary>
    /// Copies an image's pixels to their places in the padded one, or adds what stands there to them: a whole row of the image, pixel by pixel beside it.
    /// </summary>
    readonly struct Plane<T>(Window2d window, LaneTensor<T> image, LaneTensor<T> padded, bool gradient) : IWork where T : unmanaged, INumberBase<T>
    {
        readonly WindowAxis rows = window.Rows(image.Shape.Height), columns = window.Columns(image.Shape.Width);

        public void Run(int plane)
        {
            if (gradient)
                image.ClearPlane(plane);
            int lanes = image.Lanes;
            for (int row = 0; row < padded.Shape.Height; row++)
            {
                T* inImage = image.At(plane, Source(rows, row)), inPadded = padded.At(plane, row);
                for (int column = 0, width; column < padded.Shape.Width; column += width)
                {
                    width = column == columns.PadBefore ? columns.Input : 1;
                    Span<T> here = new(inImage + Source(columns, column) * lanes, width * lanes), there = new(inPadded + column * lanes, width * lanes);
                    if (gradient)
                        TensorPrimitives.Add(here, there, here);
                    else
                        here.CopyTo(there);
                }
            }
        }
    }

    /// <summary>The row or column of an image that stands at a place of the padded one.</summary>
    static int Source(WindowAxis axis, int padded)
    {
        int i = padded - axis.PadBefore;
        return (uint)i < (uint)axis.Input ? i : axis.PaddingSource(i);
    }
}

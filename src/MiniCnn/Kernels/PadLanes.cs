using System.Numerics;
using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Padding of images and its gradient, for <see cref="Pad2d"/> and for convolutions with a padding mode other than zeros.</summary>
static unsafe class PadLanes
{
    /// <summary>Overwrites y with x and the padding of the window, as part of the image. Negative padding crops x.</summary>
    public static void Forward<T>(Window2d window, LaneTensor<T> x, LaneTensor<T> y) where T : unmanaged, INumberBase<T> =>
        Workers.RunPlanes(y, new Plane<T>(window, x, y, gradient: false));

    /// <summary>Overwrites dx: the gradient of each pixel plus the gradients of its copies in the padding, added in the order of dy.</summary>
    public static void Backward<T>(Window2d window, LaneTensor<T> dy, LaneTensor<T> dx) where T : unmanaged, INumberBase<T> =>
        Workers.RunPlanes(dx, new Plane<T>(window, dx, dy, gradient: true));

    /// <summary>
    /// Copies the pixels of an image to their positions in the padded image or, for the gradient, adds the values at these positions to the pixels. Rows of
    /// the image are processed at once, the padding on the left and right pixel by pixel.
    /// </summary>
    readonly struct Plane<T>(Window2d window, LaneTensor<T> image, LaneTensor<T> padded, bool gradient) : IWork where T : unmanaged, INumberBase<T>
    {
        readonly WindowAxis rows = new(image.Shape.Height, 1, 1, window.Padding.Top, window.Padding.Bottom, 1, window.PaddingMode);
        readonly WindowAxis columns = new(image.Shape.Width, 1, 1, window.Padding.Left, window.Padding.Right, 1, window.PaddingMode);

        public void Run(int plane)
        {
            if (gradient)
                image.ClearPlane(plane);
            int lanes = image.Lanes, first = Math.Max(columns.PadBefore, 0), end = Math.Min(columns.PadBefore + columns.Input, columns.Output);
            for (int row = 0; row < rows.Output; row++)
            {
                int y = rows.Source(row, 0);
                T* inImage = image.At(plane, Math.Max(y, 0)), inPadded = padded.At(plane, row);
                for (int column = 0, width; column < columns.Output; column += width)
                {
                    int x = y < 0 ? -1 : columns.Source(column, 0);
                    width = y < 0 ? columns.Output : column == first ? end - first : 1;
                    Span<T> there = new(inPadded + column * lanes, width * lanes);
                    if (x < 0)                                                 // a zero has no gradient
                    {
                        if (!gradient)
                            there.Clear();
                        continue;
                    }
                    Span<T> here = new(inImage + x * lanes, width * lanes);
                    if (gradient)
                        TensorPrimitives.Add(here, there, here);
                    else
                        here.CopyTo(there);
                }
            }
        }
    }
}

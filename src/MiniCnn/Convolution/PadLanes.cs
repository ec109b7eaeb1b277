using System.Numerics;

namespace MiniCnn;

/// <summary>The pad step before a convolution whose padding is not zeros, and its gradient.</summary>
static unsafe class PadLanes
{
    /// <summary>y = x with its padding around it, as part of the image.</summary>
    public static void Forward<T>(Window2d window, LaneTensor<T> x, LaneTensor<T> y) where T : unmanaged, INumberBase<T>
    {
        for (int plane = 0; plane < y.Planes; plane++)
            for (int row = 0; row < y.Shape.Height; row++)
                for (int column = 0; column < y.Shape.Width; column++)
                    new Span<T>(Pixel(window, x, plane, row, column), x.Lanes).CopyTo(new(y.At(plane, row) + column * y.Lanes, y.Lanes));
        GC.KeepAlive(x);
        GC.KeepAlive(y);
    }

    /// <summary>dx = each pixel's own gradient and those of its copies in the padding; overwritten.</summary>
    public static void Backward<T>(Window2d window, LaneTensor<T> dy, LaneTensor<T> dx) where T : unmanaged, INumberBase<T>
    {
        for (int plane = 0; plane < dx.Planes; plane++)
            dx.ClearPlane(plane);
        for (int plane = 0; plane < dy.Planes; plane++)
            for (int row = 0; row < dy.Shape.Height; row++)
                for (int column = 0; column < dy.Shape.Width; column++)
                {
                    T* from = dy.At(plane, row) + column * dy.Lanes, to = Pixel(window, dx, plane, row, column);
                    for (int lane = 0; lane < dy.Lanes; lane++)
                        to[lane] += from[lane];
                }
        GC.KeepAlive(dy);
        GC.KeepAlive(dx);
    }

    /// <summary>The pixel of an image that stands at a place of the padded one.</summary>
    static T* Pixel<T>(Window2d window, LaneTensor<T> image, int plane, int row, int column) where T : unmanaged =>
        image.At(plane, Source(window.Rows(image.Shape.Height), row)) + Source(window.Columns(image.Shape.Width), column) * image.Lanes;

    static int Source(WindowAxis axis, int padded)
    {
        int i = padded - axis.PadBefore;
        return (uint)i < (uint)axis.Input ? i : axis.PaddingSource(i);
    }
}

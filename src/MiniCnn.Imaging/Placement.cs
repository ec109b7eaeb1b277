namespace MiniCnn.Imaging;

/// <summary>Maps the part of a picture from (X0, Y0) to (X1, Y1) to the rectangle of Width × Height at (Left, Top) of an image.</summary>
/// <remarks>Bit-identical to PIL's <c>ImageOps.pad</c> and <c>ImageOps.fit</c>, where the edges of the part have single precision.</remarks>
readonly record struct Placement(float X0, float Y0, float X1, float Y1, int Left, int Top, int Width, int Height)
{
    public static Placement Of(Fit fit, int fromWidth, int fromHeight, int width, int height)
    {
        double from = (double)fromWidth / fromHeight, to = (double)width / height;
        if (fit == Fit.Letterbox && from != to)
        {
            int inner = from > to ? (int)Math.Round((double)fromHeight / fromWidth * width) : (int)Math.Round(from * height);
            (int w, int h) = from > to ? (width, Math.Max(inner, 1)) : (Math.Max(inner, 1), height);
            return new(0, 0, fromWidth, fromHeight, (int)Math.Round((width - w) * 0.5), (int)Math.Round((height - h) * 0.5), w, h);
        }
        if (fit == Fit.CenterCrop && from != to)
        {
            (double w, double h) = from > to ? (to * fromHeight, (double)fromHeight) : (fromWidth, fromWidth / to);
            (double left, double top) = ((fromWidth - w) * 0.5, (fromHeight - h) * 0.5);
            return new((float)left, (float)top, (float)(left + w), (float)(top + h), 0, 0, width, height);
        }
        return new(0, 0, fromWidth, fromHeight, 0, 0, width, height);
    }
}

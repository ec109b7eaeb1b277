using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>Random changes to training images, different in each epoch, that keep their class. They increase the variety of a small data set.</summary>
/// <remarks>
/// The order is: rotation, resized crop, shift, flips, quarter turns; brightness, contrast; normalization; cutout. The random numbers of an image
/// depend only on the seed of the epoch and the index of the image in its set (<see cref="Philox"/>), not on threads, batches or order. The random numbers of
/// an option do not depend on which other options are on. A mask moves with its image, with nearest-neighbor interpolation. Brightness, contrast and cutout do
/// not change it.
/// </remarks>
public sealed record Augmentation
{
    /// <summary>Whether to flip images left to right, each with probability 0.5. The default is false.</summary>
    public bool HorizontalFlip { get; init; }

    /// <summary>Whether to flip images top to bottom, each with probability 0.5. The default is false.</summary>
    public bool VerticalFlip { get; init; }

    /// <summary>
    /// Whether to rotate images by 0, 90, 180 or 270 degrees with equal probability, for images without a natural orientation. They must be square. The default
    /// is false.
    /// </summary>
    public bool QuarterTurns { get; init; }

    /// <summary>
    /// Maximum angle in degrees. The image is rotated about its center by a random angle from −Rotation to Rotation, with bilinear interpolation. Edge pixels
    /// are repeated outside the image. The default is 0.
    /// </summary>
    /// <remarks>Like torchvision's <c>RandomRotation(Rotation)</c> with bilinear interpolation, which however fills the outside with black.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from 0 to 180.</exception>
    public double Rotation { get; init => field = value is >= 0 and <= 180 ? value : throw Refused(value, "from 0 to 180"); }

    /// <summary>
    /// Maximum shift in pixels. The image is shifted by a random whole number of pixels from −CropPadding to CropPadding in each direction. Edge pixels are
    /// repeated outside the image. The default is 0.
    /// </summary>
    /// <remarks>Like torchvision's <c>RandomCrop(size, padding=CropPadding, padding_mode='edge')</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int CropPadding { get; init => field = value >= 0 ? value : throw Refused(value, "0 or more"); }

    /// <summary>
    /// Minimum area of a random crop, as a fraction of the image. A rectangle with a random area from Scale to 1 is cropped and resized to the shape of the
    /// image. The default is 1, no crop.
    /// </summary>
    /// <remarks>
    /// Like torchvision's <c>RandomResizedCrop(size, scale=(Scale, 1))</c> with bilinear interpolation, but the rectangle is not rounded to whole pixels. Its
    /// aspect ratio, relative to that of the image, is drawn from the range 3:4 to 4:3, restricted to rectangles that fit in the image.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not above 0, or is above 1.</exception>
    public double Scale { get; init => field = value is > 0 and <= 1 ? value : throw Refused(value, "above 0 and at most 1"); } = 1;

    /// <summary>
    /// Pixels are multiplied by a random factor from max(0, 1 − Brightness) to 1 + Brightness, like torchvision's <c>ColorJitter(brightness)</c>. The default
    /// is 0.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from 0 to 1000.</exception>
    public double Brightness { get; init => field = value is >= 0 and <= 1000 ? value : throw Refused(value, "from 0 to 1000"); }

    /// <summary>
    /// The difference of pixels from the mean gray of the image is multiplied by a random factor from max(0, 1 − Contrast) to 1 + Contrast, like torchvision's
    /// <c>ColorJitter(contrast)</c>. Three channels are treated as RGB. The default is 0.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from 0 to 1000.</exception>
    public double Contrast { get; init => field = value is >= 0 and <= 1000 ? value : throw Refused(value, "from 0 to 1000"); }

    /// <summary>
    /// Side in pixels of a square that is set to 0, the mean, after normalization. Its center is a random pixel, so it may extend beyond the image. The default
    /// is 0, no square.
    /// </summary>
    /// <remarks>Source: DeVries, Taylor, “Improved Regularization of Convolutional Neural Networks with Cutout”, 2017.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int Cutout { get; init => field = value >= 0 ? value : throw Refused(value, "0 or more"); }

    /// <summary>Returns the options that are on: “HorizontalFlip, Scale 0.5”, or “none”.</summary>
    public override string ToString()
    {
        string[] all =
        [
            HorizontalFlip ? nameof(HorizontalFlip) : "", VerticalFlip ? nameof(VerticalFlip) : "", QuarterTurns ? nameof(QuarterTurns) : "",
            Text(nameof(Rotation), Rotation), Text(nameof(CropPadding), CropPadding), Scale < 1 ? Text(nameof(Scale), Scale) : "",
            Text(nameof(Brightness), Brightness), Text(nameof(Contrast), Contrast), Text(nameof(Cutout), Cutout),
        ];
        return all.All(text => text is "") ? "none" : string.Join(", ", all.Where(text => text is not ""));

        static string Text(string name, double value) => value == 0 ? "" : FormattableString.Invariant($"{name} {value}");
    }

    static ArgumentOutOfRangeException Refused(object value, string range, [CallerMemberName] string name = "") =>
        new(name, value, $"{name} must be {range}");

    const uint Purpose = 0x41756767;                                          // “Augg” in ASCII: separates these random numbers from those of the layers
    const double Unit = 1 / 4294967296.0;

    static readonly float[] greys = [0.2989f, 0.587f, 0.114f];                // weights of red, green and blue, as in torchvision

    /// <summary>Throws if an option does not support images of a shape.</summary>
    internal void Check(ImageShape shape)
    {
        if (QuarterTurns && shape.Height != shape.Width)
            throw new ArgumentException($"{nameof(QuarterTurns)} needs square images, not {shape}; use {nameof(Rotation)} or the flips instead");
    }

    /// <summary>Writes the augmented and normalized image.</summary>
    /// <param name="images">The data set.</param>
    /// <param name="image">Bytes of the image, [C, H, W].</param>
    /// <param name="index">Index of the image in the data set.</param>
    /// <param name="seed">Seed of the epoch.</param>
    /// <param name="y">The result, [C, H, W].</param>
    /// <returns>The motion of the pixels, to apply it to the mask.</returns>
    internal Motion Apply(ImageDataset images, ReadOnlySpan<byte> image, int index, int seed, Span<float> y)
    {
        Span<double> random = stackalloc double[16];                          // uniform in [0, 1); every option uses its own elements
        for (int i = 0; i < random.Length; i += 4)
        {
            (uint a, uint b, uint c, uint d) = Philox.Block((uint)i / 4, (uint)index, 0, Purpose, (uint)seed, 0);
            (random[i], random[i + 1], random[i + 2], random[i + 3]) = (a * Unit, b * Unit, c * Unit, d * Unit);
        }
        ReadOnlySpan<float> values = Brightness > 0 || Contrast > 0 ? Colors(images, image, random[0], random[1]) : images.Normalized;

        // The crop has the size tall·height × wide·width and starts at (top, left). Output column x samples the input at left + (x + ½)·wide − ½.
        (int height, int width) = (images.Shape.Height, images.Shape.Width);
        double share = 1 - (1 - Scale) * random[2], spread = Math.Min(Math.Log(4 / 3.0), -Math.Log(share));
        double root = Math.Sqrt(share), proportion = Math.Exp(spread * (random[3] - 0.5));
        double tall = Math.Min(root / proportion, 1), wide = Math.Min(root * proportion, 1);
        double top = height * (1 - tall) * random[4] + Shift(random[6]), left = width * (1 - wide) * random[5] + Shift(random[7]);
        Axis rows = new(top + (tall - 1) / 2, tall, height), columns = new(left + (wide - 1) / 2, wide, width);
        // A quarter turn to the left is a flip and a transpose; a half turn is a flip in both directions.
        int turns = QuarterTurns ? (int)(4 * random[12]) : 0;
        if ((HorizontalFlip && random[8] < 0.5) ^ turns is 1 or 2)
            columns = columns.Mirrored;
        if ((VerticalFlip && random[11] < 0.5) ^ turns is 2 or 3)
            rows = rows.Mirrored;
        double angle = Rotation > 0 ? double.DegreesToRadians(Rotation * (2 * random[13] - 1)) : 0;
        if (Rotation > 0)
            ResampleTurned(image, images.Shape, values, rows, columns, angle, y);
        else
            Resample(image, images.Shape, values, rows, columns, y);
        if (turns is 1 or 3)
            Transpose(y, height);
        if (Cutout > 0)
            Blank(images.Shape, (int)(random[9] * height), (int)(random[10] * width), y);
        return new(rows, columns, angle, turns is 1 or 3);

        double Shift(double random) => Math.Floor(random * (2.0 * CropPadding + 1)) - CropPadding;
    }

    /// <summary>Returns the value of each byte, [C, 256]: brightness, then contrast, each clamped to 0 to 255, then normalization.</summary>
    ReadOnlySpan<float> Colors(ImageDataset images, ReadOnlySpan<byte> image, double brightness, double contrast)
    {
        ImageShape shape = images.Shape;
        float[] all = new float[256 * shape.Channels];
        Span<float> values = all.AsSpan(0, 256);
        float factor = Factor(Brightness, brightness);
        for (int x = 0; x < 256; x++)
            values[x] = Math.Min(factor * x, 255);
        if (Contrast > 0)
        {
            factor = Factor(Contrast, contrast);
            float grey = Grey(image, shape, values);
            TensorPrimitives.Multiply(values, factor, values);
            TensorPrimitives.Add(values, (1 - factor) * grey, values);
            TensorPrimitives.Clamp(values, 0, 255, values);
        }
        for (int c = shape.Channels - 1; c >= 0; c--)
        {
            values.CopyTo(all.AsSpan(256 * c));
            images.Normalize(c, all.AsSpan(256 * c, 256));
        }
        return all;

        static float Factor(double spread, double random)
        {
            double least = Math.Max(0, 1 - spread);
            return (float)(least + (1 + spread - least) * random);
        }
    }

    /// <summary>Computes the mean gray of an image; <paramref name="values"/> holds the value of each byte.</summary>
    static float Grey(ReadOnlySpan<byte> image, ImageShape shape, ReadOnlySpan<float> values)
    {
        Span<int> parts = stackalloc int[256];                                // values · 65536: integers are added faster
        for (int x = 0; x < 256; x++)
            parts[x] = (int)(65536 * values[x]);
        int plane = shape.Height * shape.Width;
        double grey = 0;
        for (int c = 0; c < shape.Channels; c++)
        {
            long sum = 0;
            foreach (byte x in image.Slice(c * plane, plane))
                sum += parts[x];
            grey += (shape.Channels == 3 ? greys[c] : 1.0 / shape.Channels) * sum / (65536.0 * plane);
        }
        return (float)grey;
    }

    /// <summary>Input coordinates of the pixels of an output row or column: start + i·step, clamped to the image.</summary>
    internal readonly struct Axis(double start, double step, int size)
    {
        public int Size => size;

        public bool IsWhole => Math.Abs(step) == 1;

        public Axis Mirrored => new(start + (size - 1) * step, -step, size);

        public double Middle => (size - 1) / 2.0;

        public double this[int i] => start + i * step;

        public int Nearest(double place) => (int)(Math.Clamp(place, 0, size - 1) + 0.5);

        public (int Low, int High, float Fraction) At(double place)
        {
            double at = Math.Clamp(place, 0, size - 1);
            return ((int)at, Math.Min((int)at + 1, size - 1), (float)(at - (int)at));
        }
    }

    /// <summary>The motion of the pixels of an image: sampled along rows and columns, then rotated to the left about the center, then transposed.</summary>
    internal readonly struct Motion(Axis rows, Axis columns, double angle, bool transposed)
    {
        /// <summary>Applies the motion to the mask of the image with nearest-neighbor interpolation.</summary>
        public void Nearest(ReadOnlySpan<byte> mask, Span<int> y)
        {
            (double sine, double cosine) = Math.SinCos(angle);
            for (int i = 0; i < y.Length; i++)
            {
                (int row, int column) = Math.DivRem(i, columns.Size);
                double down = rows[row] - rows.Middle, right = columns[column] - columns.Middle;
                int from = rows.Nearest(rows.Middle + sine * right + cosine * down) * columns.Size;
                y[i] = mask[from + columns.Nearest(columns.Middle + cosine * right - sine * down)];
            }
            if (transposed)
                Transpose(y, rows.Size);
        }
    }

    /// <summary>Bilinear interpolation: first along the columns of each needed row, then between two rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Resample(ReadOnlySpan<byte> image, ImageShape shape, ReadOnlySpan<float> values, Axis rows, Axis columns, Span<float> y)
    {
        (int height, int width, int plane) = (shape.Height, shape.Width, shape.Height * shape.Width);
        Span<float> buffer = width <= 512 ? stackalloc float[3 * width] : new float[3 * width];
        Span<float> above = buffer[..width], below = buffer.Slice(width, width), fractions = buffer[(2 * width)..];
        Span<int> low = width <= 512 ? stackalloc int[width] : new int[width];
        for (int x = 0; x < width; x++)
            (low[x], _, fractions[x]) = columns.At(columns[x]);
        if (columns.IsWhole)
            fractions = [];
        for (int c = 0; c < shape.Channels; c++)
        {
            ReadOnlySpan<byte> source = image.Slice(c * plane, plane);
            ReadOnlySpan<float> channel = values.Slice(256 * c, 256);
            int there = -2;                                                   // above holds the interpolated input row there, below the row there + 1
            for (int row = 0; row < height; row++)
            {
                (int upper, _, float fraction) = rows.At(rows[row]);
                Span<float> to = y.Slice(c * plane + row * width, width);
                if (fraction == 0)
                {
                    Line(source.Slice(upper * width, width), channel, low, fractions, to);
                    continue;
                }
                if (upper != there)
                {
                    Span<float> free = above;
                    above = below;
                    below = free;
                    if (upper != there + 1)
                        Line(source.Slice(upper * width, width), channel, low, fractions, above);
                    Line(source.Slice((upper + 1) * width, width), channel, low, fractions, below);
                    there = upper;
                }
                TensorPrimitives.Lerp(above, below, fraction, to);
            }
        }
    }

    /// <summary>
    /// Bilinear interpolation of each pixel separately: the coordinates of rows and columns are rotated to the left about the center of the image.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void ResampleTurned(
        ReadOnlySpan<byte> image, ImageShape shape, ReadOnlySpan<float> values, Axis rows, Axis columns, double angle, Span<float> y)
    {
        (int width, int plane) = (shape.Width, shape.Height * shape.Width);
        (double sine, double cosine) = Math.SinCos(angle);
        for (int i = 0; i < plane; i++)
        {
            double down = rows[i / width] - rows.Middle, right = columns[i % width] - columns.Middle;
            (int upper, int lower, float v) = rows.At(rows.Middle + sine * right + cosine * down);
            (int left, int next, float h) = columns.At(columns.Middle + cosine * right - sine * down);
            for (int c = 0; c < shape.Channels; c++)
            {
                ReadOnlySpan<byte> source = image.Slice(c * plane, plane);
                ReadOnlySpan<float> channel = values.Slice(256 * c, 256);
                float above = float.Lerp(channel[source[upper * width + left]], channel[source[upper * width + next]], h);
                float below = float.Lerp(channel[source[lower * width + left]], channel[source[lower * width + next]], h);
                y[c * plane + i] = float.Lerp(above, below, v);
            }
        }
    }

    /// <summary>Transposes square planes in place.</summary>
    static void Transpose<T>(Span<T> y, int size)
    {
        for (; !y.IsEmpty; y = y[(size * size)..])
            for (int row = 1; row < size; row++)
                for (int column = 0; column < row; column++)
                    (y[row * size + column], y[column * size + row]) = (y[column * size + row], y[row * size + column]);
    }

    /// <summary>Interpolates a row of the image along its columns. Empty fractions mean that all are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Line(ReadOnlySpan<byte> row, ReadOnlySpan<float> values, ReadOnlySpan<int> low, ReadOnlySpan<float> fractions, Span<float> to)
    {
        if (fractions.IsEmpty)
        {
            for (int x = 0; x < to.Length; x++)
                to[x] = values[row[low[x]]];
            return;
        }
        for (int x = 0; x < to.Length; x++)
        {
            float a = values[row[low[x]]], b = values[row[Math.Min(low[x] + 1, row.Length - 1)]];
            to[x] = a + fractions[x] * (b - a);
        }
    }

    /// <summary>Clears the part of the cutout square that is inside the image.</summary>
    void Blank(ImageShape shape, int row, int column, Span<float> y)
    {
        int top = Math.Max(0, row - Cutout / 2), bottom = (int)Math.Min(shape.Height, (long)row - Cutout / 2 + Cutout);
        int left = Math.Max(0, column - Cutout / 2), right = (int)Math.Min(shape.Width, (long)column - Cutout / 2 + Cutout);
        for (int c = 0; c < shape.Channels; c++)
            for (int i = top; i < bottom; i++)
                y.Slice((c * shape.Height + i) * shape.Width + left, right - left).Clear();
    }
}

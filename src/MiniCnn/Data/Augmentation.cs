using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>Changes to the images of a batch at random, others in each epoch, that leave what they show: more to learn from few images.</summary>
/// <remarks>
/// In this order: the image is turned by an angle, a part of it is cut out and enlarged, moved, mirrored, turned by quarters; made brighter or darker, its
/// contrast higher or lower; normalised; and a square is blanked. What happens to an image is a pure function (<see cref="Philox"/>) of the epoch's
/// seed and the image's index in its set: it depends on no thread, batch or order, and what one option does not on which others are on.
/// A mask moves as its image does, each pixel the nearest one; brightness, contrast and the blanked square leave it as it is.
/// </remarks>
public sealed record Augmentation
{
    /// <summary>Mirrors every second image, left for right.</summary>
    public bool HorizontalFlip { get; init; }

    /// <summary>Mirrors every second image, top for bottom.</summary>
    public bool VerticalFlip { get; init; }

    /// <summary>Turns the image by 0, 90, 180 or 270 degrees, for pictures that have no up; it must be square.</summary>
    public bool QuarterTurns { get; init; }

    /// <summary>Turns the image about its middle by an angle of up to this many degrees to either side; its edges are repeated into what opens.</summary>
    /// <remarks>As torchvision's <c>RandomRotation(Rotation)</c>, bilinear; that one fills what opens with black.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">Not from 0 to 180.</exception>
    public double Rotation { get; init => field = value is >= 0 and <= 180 ? value : throw Refused(value, "from 0 to 180"); }

    /// <summary>Moves the image by up to this many pixels up or down and left or right; its edges are repeated into what opens.</summary>
    /// <remarks>As torchvision's <c>RandomCrop(size, padding, padding_mode='edge')</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int CropPadding { get; init => field = value >= 0 ? value : throw Refused(value, "0 or more"); }

    /// <summary>Cuts out a rectangle whose area is this share of the image's, or more, up to 1, and enlarges it to the image's size.</summary>
    /// <remarks>
    /// As torchvision's <c>RandomResizedCrop(size, scale=(Scale, 1))</c>, bilinear, but to fractions of a pixel; the rectangle's proportions,
    /// between 3:4 and 4:3 of the image's, are drawn from those that fit.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">Not above 0, or above 1.</exception>
    public double Scale { get; init => field = value is > 0 and <= 1 ? value : throw Refused(value, "above 0 and at most 1"); } = 1;

    /// <summary>Multiplies the pixels by a factor from 1 − this (0 at least) to 1 + this; torchvision's <c>ColorJitter(brightness)</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative or not finite.</exception>
    public double Brightness { get; init => field = value is >= 0 and <= 1000 ? value : throw Refused(value, "from 0 to 1000"); }

    /// <summary>
    /// Multiplies the pixels' difference from the image's mean grey by a factor from 1 − this (0 at least) to 1 + this; torchvision's
    /// <c>ColorJitter(contrast)</c>. Three channels are taken as red, green and blue.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative or not finite.</exception>
    public double Contrast { get; init => field = value is >= 0 and <= 1000 ? value : throw Refused(value, "from 0 to 1000"); }

    /// <summary>Side of a square that becomes 0, the mean: centred on any pixel, so a part may lie outside.</summary>
    /// <remarks>Source: DeVries, Taylor, “Improved Regularization of Convolutional Neural Networks with Cutout”, 2017.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int Cutout { get; init => field = value >= 0 ? value : throw Refused(value, "0 or more"); }

    /// <summary>What is on: “HorizontalFlip, Scale 0.5”, or “none”.</summary>
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

    const uint Purpose = 0x41756767;                                          // of the random words: not a layer's place
    const double Unit = 1 / 4294967296.0;

    static readonly float[] greys = [0.2989f, 0.587f, 0.114f];                // of red, green and blue, as torchvision has it

    /// <summary>Refuses what cannot be done to images of a shape.</summary>
    internal void Check(ImageShape shape)
    {
        if (QuarterTurns && shape.Height != shape.Width)
            throw new ArgumentException($"{nameof(QuarterTurns)} needs square images, not {shape}; {nameof(Rotation)} and the flips take any");
    }

    /// <summary>Writes an image, augmented and normalised.</summary>
    /// <param name="images">The set.</param>
    /// <param name="image">Its bytes.</param>
    /// <param name="index">The image's, in its set.</param>
    /// <param name="seed">The epoch's.</param>
    /// <param name="y">[C, H, W].</param>
    /// <returns>Where its pixels went, for a mask to follow them.</returns>
    internal Motion Apply(ImageDataset images, ReadOnlySpan<byte> image, int index, int seed, Span<float> y)
    {
        Span<double> random = stackalloc double[16];                          // from 0 to below 1; every option has its own
        for (int i = 0; i < random.Length; i += 4)
        {
            (uint a, uint b, uint c, uint d) = Philox.Block((uint)i / 4, (uint)index, 0, Purpose, (uint)seed, 0);
            (random[i], random[i + 1], random[i + 2], random[i + 3]) = (a * Unit, b * Unit, c * Unit, d * Unit);
        }
        ReadOnlySpan<float> values = Brightness > 0 || Contrast > 0 ? Colors(images, image, random[0], random[1]) : images.Normalized;

        // A rectangle of tall × wide of the image, from (top, left) on; output pixel x shows what is at its middle, left + (x + ½)·wide − ½.
        (int height, int width) = (images.Shape.Height, images.Shape.Width);
        double share = 1 - (1 - Scale) * random[2], spread = Math.Min(Math.Log(4 / 3.0), -Math.Log(share));
        double root = Math.Sqrt(share), proportion = Math.Exp(spread * (random[3] - 0.5));
        double tall = Math.Min(root / proportion, 1), wide = Math.Min(root * proportion, 1);
        double top = height * (1 - tall) * random[4] + Shift(random[6]), left = width * (1 - wide) * random[5] + Shift(random[7]);
        Axis rows = new(top + (tall - 1) / 2, tall, height), columns = new(left + (wide - 1) / 2, wide, width);
        // A quarter turn to the left is a mirror image, transposed; a half turn is mirrored both ways.
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

    /// <summary>What the image's bytes become, [C, 256]: brightness, then contrast, each cut off at 0 and 255, then normalised.</summary>
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

    /// <summary>The mean grey of an image whose bytes stand for these values.</summary>
    static float Grey(ReadOnlySpan<byte> image, ImageShape shape, ReadOnlySpan<float> values)
    {
        Span<int> parts = stackalloc int[256];                                // of 65536: whole numbers are added faster
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

    /// <summary>Where the pixels of an output row or column come from: pixel i from start + i·step, not beyond the image.</summary>
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

    /// <summary>Where an image's pixels went: along rows and columns, then turned about the middle to the left, then transposed.</summary>
    internal readonly struct Motion(Axis rows, Axis columns, double angle, bool transposed)
    {
        /// <summary>The mask of the image, each pixel the one that is nearest to its place.</summary>
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

    /// <summary>Bilinear: along the columns in each row that is needed, then between two rows.</summary>
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
            int there = -2;                                                   // above holds row there of the image, below the next one
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

    /// <summary>Bilinear, each pixel by itself: what rows and columns give is turned about the middle of the image, to the left.</summary>
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

    /// <summary>Swaps rows and columns of square planes.</summary>
    static void Transpose<T>(Span<T> y, int size)
    {
        for (; !y.IsEmpty; y = y[(size * size)..])
            for (int row = 1; row < size; row++)
                for (int column = 0; column < row; column++)
                    (y[row * size + column], y[column * size + row]) = (y[column * size + row], y[row * size + column]);
    }

    /// <summary>A row of the image along its columns; no fractions: all are 0.</summary>
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

    /// <summary>A square centred on a pixel, as far as it lies in the image.</summary>
    void Blank(ImageShape shape, int row, int column, Span<float> y)
    {
        int top = Math.Max(0, row - Cutout / 2), bottom = (int)Math.Min(shape.Height, (long)row - Cutout / 2 + Cutout);
        int left = Math.Max(0, column - Cutout / 2), right = (int)Math.Min(shape.Width, (long)column - Cutout / 2 + Cutout);
        for (int c = 0; c < shape.Channels; c++)
            for (int i = top; i < bottom; i++)
                y.Slice((c * shape.Height + i) * shape.Width + left, right - left).Clear();
    }
}

using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace MiniCnn.Imaging;

// Resizing, bit-identical to PIL's BILINEAR: first horizontally, then vertically. Each output pixel is the weighted sum of the input pixels under a triangle
// that is two output pixels wide, or two input pixels if the picture is enlarged. Weights are integer multiples of 2⁻²²; each pass rounds to bytes.
static class Resampling
{
    const int WeightBits = 32 - 8 - 2, Half = 1 << (WeightBits - 1);

    public static Picture Resize(Picture from, int width, int height, Fit fit)
    {
        Picture to = new(width, height, from.Channels);
        Placement place = Placement.Of(fit, from.Width, from.Height, width, height);
        Picture across = place is { X0: 0 } && place.X1 == from.Width && place.Width == from.Width ? from : Across(from, place);
        Triangle[] triangles = Triangles(from.Height, place.Y0, place.Y1, place.Height);
        int length = place.Width * from.Channels;
        int[] sums = new int[length];
        for (int y = 0; y < place.Height; y++)
        {
            Array.Fill(sums, Half);
            for (int i = 0; i < triangles[y].Weights.Length; i++)
                AddScaled(across.Pixels.AsSpan((triangles[y].First + i) * length, length), triangles[y].Weights[i], sums);
            Span<byte> row = to.Pixels.AsSpan(((place.Top + y) * width + place.Left) * from.Channels, length);
            for (int x = 0; x < length; x++) row[x] = Round(sums[x]);
        }
        return to;
    }

    // Nearest-neighbor interpolation, because class indices cannot be averaged: output pixel i is input pixel ⌊(i + ½) · from / to⌋. The positions are
    // accumulated in double, as in PIL's NEAREST; this decides positions that are integers except for rounding errors.
    public static byte[] Nearest(Picture mask, int width, int height, Fit fit, byte around)
    {
        byte[] to = new byte[width * height];
        Array.Fill(to, around);
        Placement place = Placement.Of(fit, mask.Width, mask.Height, width, height);
        int[] columns = Sources(place.X0, place.X1, place.Width), rows = Sources(place.Y0, place.Y1, place.Height);
        for (int y = 0; y < rows.Length; y++)
        {
            ReadOnlySpan<byte> row = mask.Pixels.AsSpan(rows[y] * mask.Width, mask.Width);
            for (int x = 0; x < columns.Length; x++) to[(place.Top + y) * width + place.Left + x] = row[columns[x]];
        }
        return to;

        static int[] Sources(float start, float end, int to)
        {
            int[] sources = new int[to];
            double scale = (double)(end - start) / to, at = start + 0.5 * scale;
            for (int i = 0; i < to; i++, at += scale) sources[i] = (int)at;
            return sources;
        }
    }

    static Picture Across(Picture from, Placement place)
    {
        int width = place.Width;
        Picture to = new(width, from.Height, from.Channels);
        Triangle[] triangles = Triangles(from.Width, place.X0, place.X1, width);
        int length = from.Width * from.Channels;
        int[] row = new int[length + 1];      // + 1: an RGB pixel is read as four numbers; the last one is not used
        for (int y = 0; y < from.Height; y++)
        {
            row.AsSpan().Clear();
            AddScaled(from.Pixels.AsSpan(y * length, length), 1, row);
            Span<byte> output = to.Pixels.AsSpan(y * width * from.Channels, width * from.Channels);
            for (int x = 0; x < width; x++)
                if (from.Channels == 1)
                    output[x] = Round(Half + TensorPrimitives.Dot(row.AsSpan(triangles[x].First, triangles[x].Weights.Length), triangles[x].Weights));
                else
                {
                    Vector128<int> sum = Dots(row.AsSpan(3 * triangles[x].First), triangles[x].Weights);
                    (output[3 * x], output[3 * x + 1], output[3 * x + 2]) = (Round(Half + sum[0]), Round(Half + sum[1]), Round(Half + sum[2]));
                }
        }
        return to;
    }

    // Σ weight · value for three channels at once.
    static Vector128<int> Dots(ReadOnlySpan<int> values, ReadOnlySpan<int> weights)
    {
        Vector128<int> sums = Vector128<int>.Zero;
        for (int i = 0; i < weights.Length; i++)
            sums += Vector128.Create(values[(3 * i)..]) * weights[i];
        return sums;
    }

    // sums += weight · row.
    static void AddScaled(ReadOnlySpan<byte> row, int weight, Span<int> sums)
    {
        int i = 0;
        for (; i + 16 <= row.Length; i += 16)
        {
            Span<int> to = sums.Slice(i, 16);
            (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(Vector128.Create(row[i..]));
            (Vector128<uint> a, Vector128<uint> b) = Vector128.Widen(low);
            (Vector128<uint> c, Vector128<uint> d) = Vector128.Widen(high);
            (Vector128.Create(to) + a.AsInt32() * weight).CopyTo(to);
            (Vector128.Create(to[4..]) + b.AsInt32() * weight).CopyTo(to[4..]);
            (Vector128.Create(to[8..]) + c.AsInt32() * weight).CopyTo(to[8..]);
            (Vector128.Create(to[12..]) + d.AsInt32() * weight).CopyTo(to[12..]);
        }
        for (; i < row.Length; i++) sums[i] += row[i] * weight;
    }

    static byte Round(int sum) => (byte)Math.Clamp(sum >> WeightBits, 0, 255);

    readonly record struct Triangle(int First, int[] Weights);

    // For each of the `to` output pixels of the part from `start` to `end`: the first of the `from` input pixels under its triangle, and the weights of that
    // pixel and the following ones. The weights add up to 2²², except for rounding.
    static Triangle[] Triangles(int from, float start, float end, int to)
    {
        double scale = (double)(end - start) / to, reach = Math.Max(scale, 1);     // in input pixels
        Triangle[] triangles = new Triangle[to];
        for (int i = 0; i < to; i++)
        {
            double middle = start + (i + 0.5) * scale;
            int first = Math.Max((int)(middle - reach + 0.5), 0), behind = Math.Min((int)(middle + reach + 0.5), from);
            double[] heights = new double[behind - first];
            for (int x = first; x < behind; x++)
                heights[x - first] = Math.Max(1 - Math.Abs((x - middle + 0.5) * (1 / reach)), 0);
            double all = heights.Sum();
            triangles[i] = new(first, Array.ConvertAll(heights, height => (int)(0.5 + height / all * (1 << WeightBits))));
        }
        return triangles;
    }
}

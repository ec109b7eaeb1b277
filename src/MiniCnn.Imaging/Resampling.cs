using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace MiniCnn.Imaging;

// Resizing as PIL's BILINEAR does it, to the bit: first across, then down; each output pixel is a sum over the input pixels under a triangle two
// output pixels wide, or two input pixels where the picture grows. Weights are whole numbers of 2⁻²², and each pass rounds to bytes.
static class Resampling
{
    const int WeightBits = 32 - 8 - 2, Half = 1 << (WeightBits - 1);

    public static Picture Resize(Picture from, int width, int height)
    {
        Picture to = new(width, height, from.Channels);
        Picture across = width == from.Width ? from : Across(from, width);
        Triangle[] triangles = Triangles(from.Height, height);
        int length = width * from.Channels;
        int[] sums = new int[length];
        for (int y = 0; y < height; y++)
        {
            Array.Fill(sums, Half);
            for (int i = 0; i < triangles[y].Weights.Length; i++)
                AddScaled(across.Pixels.AsSpan((triangles[y].First + i) * length, length), triangles[y].Weights[i], sums);
            for (int x = 0; x < length; x++) to.Pixels[y * length + x] = Round(sums[x]);
        }
        return to;
    }

    // Indices are not averaged: output pixel i shows input pixel ⌊(i + ½) · from / to⌋. The places are added up in double, as PIL's NEAREST does it,
    // which decides where one is a whole number.
    public static void Nearest(Picture mask, int width, int height, Span<byte> to)
    {
        int[] columns = Sources(mask.Width, width), rows = Sources(mask.Height, height);
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<byte> row = mask.Pixels.AsSpan(rows[y] * mask.Width, mask.Width);
            for (int x = 0; x < width; x++) to[y * width + x] = row[columns[x]];
        }

        static int[] Sources(int from, int to)
        {
            int[] sources = new int[to];
            double scale = (double)from / to, at = 0.5 * scale;
            for (int i = 0; i < to; i++, at += scale) sources[i] = (int)at;
            return sources;
        }
    }

    static Picture Across(Picture from, int width)
    {
        Picture to = new(width, from.Height, from.Channels);
        Triangle[] triangles = Triangles(from.Width, width);
        int length = from.Width * from.Channels;
        int[] row = new int[length + 1];      // an RGB pixel is read as four numbers, of which the last is not used
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

    // Σ weight · value of three channels at once.
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

    // For each of `to` output pixels the input pixels from First on that it sees, of `from`, and their shares, together 2²² or near it.
    static Triangle[] Triangles(int from, int to)
    {
        double scale = (double)from / to, reach = Math.Max(scale, 1);     // in input pixels
        Triangle[] triangles = new Triangle[to];
        for (int i = 0; i < to; i++)
        {
            double middle = (i + 0.5) * scale;
            int first = Math.Max((int)(middle - reach + 0.5), 0), end = Math.Min((int)(middle + reach + 0.5), from);
            double[] heights = new double[end - first];
            for (int x = first; x < end; x++)
                heights[x - first] = Math.Max(1 - Math.Abs((x - middle + 0.5) * (1 / reach)), 0);
            double all = heights.Sum();
            triangles[i] = new(first, Array.ConvertAll(heights, height => (int)(0.5 + height / all * (1 << WeightBits))));
        }
        return triangles;
    }
}

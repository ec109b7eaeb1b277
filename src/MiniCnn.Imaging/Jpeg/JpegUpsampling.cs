using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MiniCnn.Imaging;

/// <summary>
/// Rows of a component at the picture's size. A component at half the width or height has its samples between the pixels: a pixel takes
/// 3/4 of the nearer and 1/4 of the farther sample in each direction, rounded up and down in turn, as libjpeg's "fancy upsampling" does;
/// other factors, and components at most two samples wide, repeat their samples.
/// </summary>
sealed class JpegUpsampling(JpegFrame frame, JpegComponent c)
{
    readonly int across = frame.MaxH / c.H, down = frame.MaxV / c.V;
    readonly byte[] row = new byte[frame.Width + JpegColor.Slack];

    // The samples of a row, or 3 · the nearer + 1 · the farther row, with the first and the last repeated on either side.
    readonly ushort[] sums = new ushort[c.Width + 2 + Vector256<ushort>.Count];

    bool Smooth => (across, down) is (2, 1) or (2, 2) && c.Width > 2 || (across, down) is (1, 2);

    /// <summary>Row <paramref name="y"/>, readable for <see cref="JpegColor.Slack"/> bytes past its end.</summary>
    public ReadOnlySpan<byte> Row(int y)
    {
        ReadOnlySpan<byte> near = Samples(y / down);
        if (across == 1 && down == 1) return near;
        if (!Smooth)
        {
            for (int x = 0; x < frame.Width; x++) row[x] = near[x / across];
            return row;
        }
        Sum(near, down == 1 ? near : Samples(Math.Clamp(y / 2 + (y % 2 == 0 ? -1 : 1), 0, c.Height - 1)));
        if (across == 1)
            Halve((ushort)(1 + y % 2));
        else if (down == 1)
            Spread(1, 2, 2);
        else
            Spread(8, 7, 4);
        return row;
    }

    ReadOnlySpan<byte> Samples(int y) => c.Samples.AsSpan(y * c.Stride, c.Width + JpegColor.Slack);

    void Sum(ReadOnlySpan<byte> near, ReadOnlySpan<byte> far)
    {
        for (int x = 0; x < c.Width; x += 16)
        {
            Vector256<ushort> sum = Sixteen(near[x..]);
            if (down == 2) sum = sum * 3 + Sixteen(far[x..]);
            sum.CopyTo(sums.AsSpan(1 + x));
        }
        (sums[0], sums[c.Width + 1]) = (sums[1], sums[c.Width]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<ushort> Sixteen(ReadOnlySpan<byte> samples) => Vector256.WidenLower(Vector128.Create(samples).ToVector256Unsafe());

    // Down only: (3 · near + far) / 4.
    void Halve(ushort half)
    {
        for (int x = 0; x < frame.Width; x++) row[x] = (byte)((sums[1 + x] + half) >> 2);
    }

    // Across: of each sum two pixels, (3 · this + the one before or after) / 4, or / 16 when rows were summed.
    void Spread(ushort halfEven, ushort halfOdd, int bits)
    {
        for (int x = 0; x < c.Width; x += 16)
        {
            Vector256<ushort> center = Vector256.Create(sums.AsSpan(1 + x)) * 3;
            Vector256<ushort> even = (center + Vector256.Create(sums.AsSpan(x)) + Vector256.Create(halfEven)) >> bits;
            Vector256<ushort> odd = (center + Vector256.Create(sums.AsSpan(2 + x)) + Vector256.Create(halfOdd)) >> bits;
            (even | odd << 8).AsByte().CopyTo(row.AsSpan(2 * x));
        }
    }
}

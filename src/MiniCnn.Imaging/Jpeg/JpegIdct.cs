using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MiniCnn.Imaging;

/// <summary>
/// The inverse DCT of T.81 A.3.3 in whole numbers, first down the columns, then along the rows, each eight at a time:
/// the algorithm of Loeffler, Ligtenberg and Moschytz (ICASSP 1989) with 13 bits after the point, rounded as libjpeg's "islow" rounds.
/// </summary>
static class JpegIdct
{
    const int Bits = 13, Between = 2;     // of the constants; kept from columns to rows

    /// <summary>Coefficients, 8 rows of 8, times their quantization become 8×8 samples; <paramref name="stride"/> from row to row.</summary>
    public static void Run(ReadOnlySpan<short> block, ReadOnlySpan<int> quantization, Span<byte> samples, int stride)
    {
        Vector256<int> r0 = Row(block, quantization, 0), r1 = Row(block, quantization, 1), r2 = Row(block, quantization, 2);
        Vector256<int> r3 = Row(block, quantization, 3), r4 = Row(block, quantization, 4), r5 = Row(block, quantization, 5);
        Vector256<int> r6 = Row(block, quantization, 6), r7 = Row(block, quantization, 7);

        Eight(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7, Bits - Between, 0);
        Transpose(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
        Eight(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7, Bits + Between + 3, 128);

        // Now r0 is the column 0, from top to bottom: four columns to an int, eight to a long, and a long is a row.
        Vector256<uint> left = (Byte(r0) | Byte(r1) << 8 | Byte(r2) << 16 | Byte(r3) << 24).AsUInt32();
        Vector256<uint> right = (Byte(r4) | Byte(r5) << 8 | Byte(r6) << 16 | Byte(r7) << 24).AsUInt32();
        Vector256<ulong> upper = Vector256.WidenLower(left) | Vector256.WidenLower(right) << 32;
        Vector256<ulong> lower = Vector256.WidenUpper(left) | Vector256.WidenUpper(right) << 32;
        for (int y = 0; y < 4; y++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(samples[(y * stride)..], upper[y]);
            BinaryPrimitives.WriteUInt64LittleEndian(samples[((y + 4) * stride)..], lower[y]);
        }
    }

    /// <summary>The same for a block that has its first coefficient only.</summary>
    public static void Flat(int mean, int quantization, Span<byte> samples, int stride)
    {
        byte sample = (byte)Math.Clamp(((mean * quantization + 4) >> 3) + 128, 0, 255);
        for (int y = 0; y < 8; y++) samples.Slice(y * stride, 8).Fill(sample);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> Row(ReadOnlySpan<short> block, ReadOnlySpan<int> quantization, int y) =>
        Vector256.WidenLower(Vector128.Create(block.Slice(8 * y, 8)).ToVector256Unsafe()) * Vector256.Create(quantization.Slice(8 * y, 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> Byte(Vector256<int> a) => Vector256.Min(Vector256.Max(a, Vector256<int>.Zero), Vector256.Create(255));

    // Eight numbers of each lane become their inverse DCT times √8, moved down by some bits and up by a level.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Eight(ref Vector256<int> r0, ref Vector256<int> r1, ref Vector256<int> r2, ref Vector256<int> r3,
                      ref Vector256<int> r4, ref Vector256<int> r5, ref Vector256<int> r6, ref Vector256<int> r7, int down, int level)
    {
        // Even part; each factor is the number in its remark times 2¹³.
        Vector256<int> z = (r2 + r6) * 4433;                              // 0.541196100
        Vector256<int> e2 = z - r6 * 15137, e3 = z + r2 * 6270;           // 1.847759065, 0.765366865
        Vector256<int> half = Vector256.Create((level << down) + (1 << (down - 1)));
        Vector256<int> e0 = ((r0 + r4) << Bits) + half, e1 = ((r0 - r4) << Bits) + half;
        Vector256<int> a0 = e0 + e3, a3 = e0 - e3, a1 = e1 + e2, a2 = e1 - e2;

        // Odd part
        Vector256<int> z1 = (r7 + r1) * -7373, z2 = (r5 + r3) * -20995;   // 0.899976223, 2.562915447
        Vector256<int> z5 = (r7 + r3 + r5 + r1) * 9633;                   // 1.175875602
        Vector256<int> z3 = z5 - (r7 + r3) * 16069, z4 = z5 - (r5 + r1) * 3196;    // 1.961570560, 0.390180644
        Vector256<int> o0 = r7 * 2446 + z1 + z3, o1 = r5 * 16819 + z2 + z4;        // 0.298631336, 2.053119869
        Vector256<int> o2 = r3 * 25172 + z2 + z3, o3 = r1 * 12299 + z1 + z4;       // 3.072711026, 1.501321110

        (r0, r7) = ((a0 + o3) >> down, (a0 - o3) >> down);
        (r1, r6) = ((a1 + o2) >> down, (a1 - o2) >> down);
        (r2, r5) = ((a2 + o1) >> down, (a2 - o1) >> down);
        (r3, r4) = ((a3 + o0) >> down, (a3 - o0) >> down);
    }

    // Swaps the 4×4 blocks off the diagonal, in each the 2×2 blocks, in each the numbers.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Transpose(ref Vector256<int> r0, ref Vector256<int> r1, ref Vector256<int> r2, ref Vector256<int> r3,
                          ref Vector256<int> r4, ref Vector256<int> r5, ref Vector256<int> r6, ref Vector256<int> r7)
    {
        Vector256<int> by = Vector256.Create(4, 5, 6, 7, 0, 1, 2, 3), keep = Vector256.Create(-1, -1, -1, -1, 0, 0, 0, 0);
        Swap(ref r0, ref r4, by, keep);
        Swap(ref r1, ref r5, by, keep);
        Swap(ref r2, ref r6, by, keep);
        Swap(ref r3, ref r7, by, keep);
        (by, keep) = (Vector256.Create(2, 3, 0, 1, 6, 7, 4, 5), Vector256.Create(-1, -1, 0, 0, -1, -1, 0, 0));
        Swap(ref r0, ref r2, by, keep);
        Swap(ref r1, ref r3, by, keep);
        Swap(ref r4, ref r6, by, keep);
        Swap(ref r5, ref r7, by, keep);
        (by, keep) = (Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6), Vector256.Create(-1, 0, -1, 0, -1, 0, -1, 0));
        Swap(ref r0, ref r1, by, keep);
        Swap(ref r2, ref r3, by, keep);
        Swap(ref r4, ref r5, by, keep);
        Swap(ref r6, ref r7, by, keep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Swap(ref Vector256<int> a, ref Vector256<int> b, Vector256<int> by, Vector256<int> keep) => (a, b) =
        (Vector256.ConditionalSelect(keep, a, Vector256.Shuffle(b, by)), Vector256.ConditionalSelect(keep, Vector256.Shuffle(a, by), b));
}

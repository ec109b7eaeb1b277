namespace MiniCnn.Imaging;

/// <summary>A block of 8×8 coefficients of a sequential file (T.81 F.2.2).</summary>
static class JpegBlock
{
    /// <summary>Where the k-th coefficient of the zigzag stands in a block read row by row (figure A.6).</summary>
    public static ReadOnlySpan<byte> ZigZag =>
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];

    /// <summary>
    /// The mean as a difference from the block before, then the others along the zigzag: each code says how many zeros precede one, and
    /// of how many bits it is. Returns the place of the last one in the zigzag; <paramref name="block"/> comes with zeros.
    /// </summary>
    public static int Decode(ref JpegBits bits, JpegComponent c, scoped Span<short> block)
    {
        bits.Fill();
        c.Predictor += bits.Signed(bits.Symbol(c.Dc!));
        block[0] = (short)c.Predictor;
        JpegHuffman ac = c.Ac!;
        int last = 0;
        for (int k = 1; k < 64; k++)
        {
            bits.Fill();
            int symbol = bits.Symbol(ac), size = symbol & 15;
            k += symbol >> 4;
            if (size == 0)
            {
                if (symbol != 0xF0) break;    // end of the block; F0 is 16 zeros
                continue;
            }
            if (k > 63) throw Jpeg.Fault("with a block of more than 64 coefficients");
            block[ZigZag[k]] = (short)bits.Signed(size);
            last = k;
        }
        return last;
    }
}

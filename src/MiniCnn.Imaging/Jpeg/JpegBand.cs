namespace MiniCnn.Imaging;

/// <summary>
/// What a scan of a progressive file adds to each block (T.81 annex G): the coefficients <paramref name="First"/> to
/// <paramref name="Last"/> of the zigzag, of their bits all from <paramref name="Low"/> up when <paramref name="High"/> is 0, else the
/// bit <paramref name="Low"/> alone (successive approximation).
/// </summary>
readonly record struct JpegBand(int First, int Last, int High, int Low)
{
    /// <summary>Scans come in the order of G.1.1.1.1: the means first, then of each coefficient the bits from the highest down, once each.</summary>
    public void Check(JpegComponent[] components)
    {
        if (First > Last || Last > 63 || (First == 0) != (Last == 0) || Low > 13 || (High > 0 && Low != High - 1))
            throw Jpeg.Fault($"with a progressive scan of the coefficients {First} to {Last}, bits {High} to {Low}, which there is not");
        if (First > 0 && components.Length > 1) throw Jpeg.Fault("with a progressive scan of other coefficients than the first of several components");
        foreach (JpegComponent c in components)
        {
            if (First > 0 && !c.Begun) throw Jpeg.Fault($"whose component {c.Id} does not begin with its first coefficient");
            foreach (ref byte known in c.KnownDownTo.AsSpan(First, Last - First + 1))
            {
                if (known != (High == 0 ? 14 : High)) throw Jpeg.Fault($"whose progressive scans of its component {c.Id} are out of order");
                known = (byte)Low;
            }
        }
    }

    /// <summary>Adds to a block; <paramref name="run"/> blocks have no further coefficients in this scan.</summary>
    public void Decode(ref JpegBits bits, JpegComponent c, scoped Span<short> block, ref int run)
    {
        if (First > 0)
        {
            if (High == 0)
                Begin(ref bits, c.Ac!, block, ref run);
            else
                Refine(ref bits, c.Ac!, block, ref run);
        }
        else if (High == 0)
        {
            bits.Fill();
            c.Predictor += bits.Signed(bits.Symbol(c.Dc!));
            block[0] = (short)(c.Predictor << Low);
        }
        else if (bits.Bit())
            block[0] |= (short)(1 << Low);
    }

    // G.1.2.2: as in a sequential file, but a code may end this block and up to 32766 that follow.
    void Begin(ref JpegBits bits, JpegHuffman ac, scoped Span<short> block, ref int run)
    {
        if (run > 0)
        {
            run--;
            return;
        }
        for (int k = First; k <= Last; k++)
        {
            bits.Fill();
            int symbol = bits.Symbol(ac), zeros = symbol >> 4, size = symbol & 15;
            if (size == 0 && zeros < 15)
            {
                run = (1 << zeros) + bits.Number(zeros) - 1;
                return;
            }
            k += zeros;
            if (size == 0) continue;
            if (k > Last) throw Jpeg.Fault("with a block that goes past the end of its band");
            block[JpegBlock.ZigZag[k]] = (short)(bits.Signed(size) << Low);
        }
    }

    // G.1.2.3: codes tell of coefficients that become ±1 in this bit; a bit follows for each that is passed over and is not zero.
    void Refine(ref JpegBits bits, JpegHuffman ac, scoped Span<short> block, ref int run)
    {
        int k = First;
        for (; run == 0 && k <= Last; k++)
        {
            bits.Fill();
            int symbol = bits.Symbol(ac), zeros = symbol >> 4, size = symbol & 15;
            if (size > 1) throw Jpeg.Fault("with a new coefficient of more than one bit in a scan that refines");
            if (size == 0 && zeros < 15)
            {
                run = (1 << zeros) + bits.Number(zeros);
                break;
            }
            int value = size == 0 ? 0 : bits.Bit() ? 1 << Low : -1 << Low;
            k = Pass(ref bits, block, k, zeros);
            if (value == 0) continue;
            if (k > Last) throw Jpeg.Fault("with a block that goes past the end of its band");
            block[JpegBlock.ZigZag[k]] = (short)value;
        }
        if (run == 0) return;
        Pass(ref bits, block, k, 64);
        run--;
    }

    // Refines from k on what is not zero, and stops at the zero after so many zeros.
    int Pass(ref JpegBits bits, scoped Span<short> block, int k, int zeros)
    {
        for (; k <= Last; k++)
        {
            ref short value = ref block[JpegBlock.ZigZag[k]];
            if (value == 0)
            {
                if (zeros-- == 0) break;
            }
            else if (bits.Bit() && (value & 1 << Low) == 0)
                value += (short)(value > 0 ? 1 << Low : -1 << Low);
        }
        return k;
    }
}

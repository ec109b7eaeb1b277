namespace MiniCnn.Imaging;

/// <summary>A scan (SOS, T.81 B.2.3): blocks of one component or of several in turn, and of progressive files a part of their bits.</summary>
ref struct JpegScan
{
    /// <summary>More scans are refused: each is a walk over all blocks, and may be a few bytes long. Encoders write about ten.</summary>
    public const int Most = 200;

    readonly JpegFrame frame;
    readonly JpegComponent[] components;
    readonly int restartInterval;
    readonly JpegBand band;
    JpegBits bits;
    int run;      // of blocks without further coefficients (EOBRUN), progressive only

    public JpegScan(JpegReader file, ReadOnlySpan<byte> header, ReadOnlySpan<byte> data)
    {
        frame = file.Frame ?? throw Jpeg.Fault("with a scan before its frame header (SOF)");
        if (header.Length < 1 || header.Length != 4 + 2 * header[0] || header[0] is < 1 or > 4)
            throw Jpeg.Fault("whose scan header has a wrong length");
        components = new JpegComponent[header[0]];
        for (int i = 0; i < components.Length; i++)
        {
            int id = header[1 + 2 * i], tables = header[2 + 2 * i];
            JpegComponent c = frame.Components.FirstOrDefault(c => c.Id == id) ?? throw Jpeg.Fault($"with a scan of a component {id} that it has not");
            if (components.AsSpan(0, i).Contains(c)) throw Jpeg.Fault($"with a scan that names its component {id} twice");
            if ((tables >> 4) > 3 || (tables & 15) > 3) throw Jpeg.Fault("with a scan that names a Huffman table beyond 3");
            (c.Dc, c.Ac, c.Predictor) = (file.Dc[tables >> 4], file.Ac[tables & 15], 0);
            components[i] = c;
        }
        ReadOnlySpan<byte> last = header[^3..];
        band = frame.Progressive ? new(last[0], last[1], last[2] >> 4, last[2] & 15) : new(0, 63, 0, 0);
        restartInterval = file.RestartInterval;
        bits = new(data);
        Check(file, 8L * data.Length);
    }

    readonly bool Interleaved => components.Length > 1;

    readonly int McusWide => Interleaved ? frame.McusWide : components[0].BlocksWide;

    readonly int McusHigh => Interleaved ? frame.McusHigh : components[0].BlocksHigh;

    // Whether all that decoding needs is there; each block takes a bit at least, of a sequential file two.
    readonly void Check(JpegReader file, long bitsThere)
    {
        int blocks = Interleaved ? components.Sum(c => c.H * c.V) : 1;
        if (Interleaved && blocks > 10) throw Jpeg.Fault($"with a scan of {blocks} blocks in turn, more than 10");
        if (frame.Progressive) band.Check(components);
        foreach (JpegComponent c in components)
        {
            if (!frame.Progressive && c.Begun) throw Jpeg.Fault($"with two scans of its component {c.Id}");
            if (c.Dc == null && band is { First: 0, High: 0 } || c.Ac == null && band.Last > 0)
                throw Jpeg.Fault($"without the Huffman table that a scan of its component {c.Id} names");
            if (c.Begun) continue;
            long needed = (long)McusWide * McusHigh * blocks * (frame.Progressive ? 1 : 2);
            if (needed > bitsThere) throw Jpeg.Fault($"of {frame.Width}×{frame.Height} pixels that ends too early: {bitsThere / 8} bytes are left for them");
            c.Begin(file.Quantization[c.Table] ?? throw Jpeg.Fault($"without the quantization table {c.Table}"), frame.Progressive);
        }
    }

    /// <summary>Decodes the blocks; how many bytes they took.</summary>
    public int Read()
    {
        int mcu = 0;
        for (int y = 0; y < McusHigh; y++)
            for (int x = 0; x < McusWide; x++, mcu++)
            {
                if (restartInterval > 0 && mcu > 0 && mcu % restartInterval == 0) Restart(mcu / restartInterval - 1);
                if (!Interleaved)
                    Block(components[0], x, y);
                else
                    foreach (JpegComponent c in components)
                        for (int v = 0; v < c.V; v++)
                            for (int h = 0; h < c.H; h++)
                                Block(c, x * c.H + h, y * c.V + v);
            }
        return bits.Rest();
    }

    void Restart(int index)
    {
        bits.Restart(index);
        foreach (JpegComponent c in components) c.Predictor = 0;
        run = 0;
    }

    void Block(JpegComponent c, int x, int y)
    {
        if (frame.Progressive)
            band.Decode(ref bits, c, c.Coefficients.AsSpan(c.Block(x, y), 64), ref run);
        else
        {
            Span<short> block = stackalloc short[64];
            int last = JpegBlock.Decode(ref bits, c, block);
            Span<byte> samples = c.Samples.AsSpan(8 * (y * c.Stride + x));
            if (last == 0)
                JpegIdct.Flat(block[0], c.Quantization[0], samples, c.Stride);
            else
                JpegIdct.Run(block, c.Quantization, samples, c.Stride);
        }
        bits.ThrowIfOverrun();
    }
}

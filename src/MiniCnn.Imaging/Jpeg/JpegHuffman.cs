namespace MiniCnn.Imaging;

/// <summary>
/// A Huffman table (T.81 annex C): codes of the same length are consecutive numbers, and the first of a length is twice the number after
/// the last of the length before.
/// </summary>
sealed class JpegHuffman
{
    /// <summary>Codes up to this length are found in one step.</summary>
    public const int LookupBits = 10;

    /// <summary>For the next bits: 256 · length + value of the code they begin with; 0 for a longer one.</summary>
    public readonly ushort[] Lookup = new ushort[1 << LookupBits];

    readonly int[] end = new int[17];       // [length]: the number after the last code, its bits moved up to 16
    readonly int[] offset = new int[17];    // [length]: from a code to the place of its value
    readonly byte[] values;

    public JpegHuffman(ReadOnlySpan<byte> codesOfLength, ReadOnlySpan<byte> values, bool isDc)
    {
        this.values = values.ToArray();
        if (isDc && values.ContainsAnyExceptInRange<byte>(0, 15)) throw Jpeg.Fault("whose Huffman table has a difference of more than 15 bits");
        int code = 0, index = 0;
        for (int length = 1; length <= 16; length++)
        {
            offset[length] = index - code;
            for (int i = 0; i < codesOfLength[length - 1]; i++, code++, index++)
                if (code < 1 << length && length <= LookupBits)
                    Lookup.AsSpan(code << (LookupBits - length), 1 << (LookupBits - length)).Fill((ushort)(length << 8 | values[index]));
            if (code > 1 << length) throw Jpeg.Fault($"whose Huffman table has more codes than {length} bits can tell apart");
            end[length] = code << (16 - length);
            code <<= 1;
        }
    }

    /// <summary>The same for a code of more bits; <paramref name="next"/> are the next 16.</summary>
    public int LongCode(int next)
    {
        for (int length = LookupBits + 1; length <= 16; length++)
            if (next < end[length])
                return length << 8 | values[offset[length] + (next >> (16 - length))];
        throw Jpeg.Fault("with bits that are no code of its Huffman table");
    }
}

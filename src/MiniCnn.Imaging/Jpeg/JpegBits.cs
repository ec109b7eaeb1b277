using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace MiniCnn.Imaging;

/// <summary>The bits of a scan, the highest of each byte first; a byte FF is followed by 00, else a marker begins (T.81 F.1.2.3).</summary>
ref struct JpegBits(ReadOnlySpan<byte> data)
{
    readonly ReadOnlySpan<byte> data = data;
    int at;           // of the next byte
    ulong bits;       // the next bits, the first of them highest
    int count;        // how many of them are read
    int invented;     // zeros after the last of the data; they are counted too

    /// <summary>Sees to it that 32 bits are there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fill()
    {
        if (count < 32) Refill();
    }

    void Refill()
    {
        if (at + 8 <= data.Length)
        {
            ulong next = BinaryPrimitives.ReadUInt64BigEndian(data[at..]);
            bool hasFF = ((~next - 0x0101010101010101) & next & 0x8080808080808080) != 0;    // a byte of ~next is zero
            if (!hasFF)
            {
                bits |= next >> count;              // what does not fit comes again with the next refill, and is the same
                at += (64 - count) >> 3;
                count += (64 - count) & ~7;
                return;
            }
        }
        for (; count <= 56; count += 8)
            if (at < data.Length && data[at] != 0xFF)
                bits |= (ulong)data[at++] << (56 - count);
            else if (at + 1 < data.Length && data[at + 1] == 0)
            {
                bits |= 0xFFUL << (56 - count);
                at += 2;
            }
            else
                invented += 8;
    }

    /// <summary>The value of the next code; Fill comes before it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Symbol(JpegHuffman table)
    {
        int entry = table.Lookup[(int)(bits >> (64 - JpegHuffman.LookupBits))];
        if (entry == 0) entry = table.LongCode((int)(bits >> 48));
        Skip(entry >> 8);
        return entry & 255;
    }

    /// <summary>A number of <paramref name="size"/> bits, 0 to 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Number(int size)
    {
        int number = (int)(bits >> 1 >> (63 - size));
        Skip(size);
        return number;
    }

    /// <summary>EXTEND of F.2.2.1: numbers whose highest bit is 0 are negative, from 1 − 2^size up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Signed(int size)
    {
        int number = Number(size), half = 1 << size >> 1;
        return number < half ? number - 2 * half + 1 : number;
    }

    /// <summary>One bit, with a Fill of its own.</summary>
    public bool Bit()
    {
        Fill();
        return Number(1) != 0;
    }

    void Skip(int size)
    {
        bits <<= size;
        count -= size;
    }

    public readonly void ThrowIfOverrun()
    {
        if (count < invented) throw Jpeg.Fault("whose scan ends before its last block");
    }

    /// <summary>Passes over what is left before the next marker; where its FF stands.</summary>
    public int Rest()
    {
        while (at + 1 < data.Length && !(data[at] == 0xFF && data[at + 1] is not (0x00 or 0xFF))) at++;
        return at;
    }

    /// <summary>The marker of a restart (RSTm, E.2.4), after which bits begin anew; the markers count from 0 to 7 in turn.</summary>
    public void Restart(int index)
    {
        int marker = Rest() + 1 < data.Length ? data[at + 1] : 0;
        if (marker != 0xD0 + index % 8) throw Jpeg.Fault($"with the marker {marker:X2} where the restart marker {0xD0 + index % 8:X2} belongs");
        at += 2;
        (bits, count, invented) = (0, 0, 0);
    }
}

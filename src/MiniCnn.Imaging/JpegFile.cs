using System.Buffers.Binary;

namespace MiniCnn.Imaging;

/// <summary>What a JPEG's markers tell (T.81, annex B).</summary>
static class JpegFile
{
    public const byte Scan = 0xDA;
    const byte End = 0xD9, FirstRestart = 0xD0;
    const int MostBytes = 10 * 64 * 26 / 8;     // of a unit's ten blocks, 26 bits a coefficient: libjpeg drops a unit that the end cuts

    /// <summary>The number of <see cref="Ended"/>'s ways.</summary>
    public const int Ways = 8;

    /// <summary>The markers behind the first, up to the end's, each with its place and what its segment holds, as far as that is there.</summary>
    public static IEnumerable<(byte Marker, int At, ArraySegment<byte> Content)> Segments(ArraySegment<byte> jpeg)
    {
        for (int at = 2, next; (next = jpeg.AsSpan(at).IndexOf((byte)0xFF)) >= 0;)      // passes over a scan's bits
        {
            at += next + 1;
            while (at < jpeg.Count && jpeg[at] == 0xFF) at++;
            if (at == jpeg.Count) yield break;
            byte marker = jpeg[at++];
            if (marker is 0 or 1) continue;
            int start = Math.Min(at + 2, jpeg.Count), end = at;
            if (marker is < FirstRestart or > End && start == at + 2)
                end = Math.Min(at + BinaryPrimitives.ReadUInt16BigEndian(jpeg.AsSpan(at)), jpeg.Count);
            yield return (marker, at - 1, end > start ? jpeg[start..end] : []);
            if (marker == End) yield break;
            at = end;
        }
    }

    /// <summary>Whether the end's marker is there. Of a JPEG that is cut libjpeg makes up what is missing.</summary>
    public static bool HasEnd(ArraySegment<byte> jpeg) => Segments(jpeg).Any(segment => segment.Marker == End);

    /// <summary>Whether there is a scan of every bit of every coefficient, the last of which may be cut.</summary>
    public static bool HasScans(ArraySegment<byte> jpeg)
    {
        byte[]? missing = null;                                                         // bits of each component's 64 coefficients
        foreach ((byte marker, _, ArraySegment<byte> content) in Segments(jpeg))
        {
            if (marker is 0xC0 or 0xC1 or 0xC2 && content.Count > 5 && content[5] > 0 && content.Count >= 6 + 3 * content[5])
            {
                missing = new byte[256 * 64];
                for (int i = 0; i < content[5]; i++) missing.AsSpan(content[6 + 3 * i] * 64, 64).Fill(255);
            }
            if (marker != Scan || missing is null || content.Count == 0 || content.Count < 4 + 2 * content[0]) continue;
            ReadOnlySpan<byte> band = content.AsSpan(1 + 2 * content[0], 3);            // the first and the last of the coefficients, bits
            for (int i = 0; i < content[0] && band[0] <= band[1] && band[1] < 64; i++)
                missing.AsSpan(content[1 + 2 * i] * 64)[band[0]..(band[1] + 1)].Fill((byte)(band[2] & 15));
        }
        return missing is not null && !missing.AsSpan().ContainsAnyExcept((byte)0);
    }

    /// <summary>
    /// A JPEG without end, ended in one of some ways. A decoder that wants more bits than are there gets others each way, beginning with 000 to 111, of
    /// its scan and behind the restart that comes next. So pixels that are not in the file differ: of 890,000 cuts none was taken for whole that was not.
    /// </summary>
    public static byte[] Ended(ArraySegment<byte> jpeg, int way)
    {
        (byte Marker, int At, ArraySegment<byte>)[] markers = [.. Segments(jpeg)];
        int scan = Array.FindLastIndex(markers, marker => marker.Marker == Scan);
        int behind = Array.FindIndex(markers, scan + 1, marker => marker.Marker is < FirstRestart or > FirstRestart + 7);       // of no interest
        (byte last, int end) = behind < 0 ? (markers[^1].Marker, jpeg.Count) : (markers[behind - 1].Marker, markers[behind].At);
        int next = last == Scan ? FirstRestart : FirstRestart + (last + 1) % 8;
        Random random = new(way);
        byte[] bits = [.. Enumerable.Range(0, MostBytes).Select(_ => (byte)random.Next(0xFF))];
        bits[0] = (byte)((bits[0] & 0x1F) | (way << 5));
        return [.. jpeg[..end].AsSpan().TrimEnd((byte)0xFF), .. bits, 0xFF, (byte)next, .. bits, 0xFF, End];
    }
}

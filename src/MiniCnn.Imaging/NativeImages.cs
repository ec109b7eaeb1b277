using System.Runtime.InteropServices;

namespace MiniCnn.Imaging;

/// <summary>
/// Byte arrays of one length in native memory. Gigabytes of live managed arrays would make the garbage collector run less often, so that the garbage of
/// reading and of batches would grow past any budget.
/// </summary>
sealed unsafe class NativeImages(int length)
{
    const int PieceBytes = 1 << 24;

    readonly int inPiece = Math.Max(PieceBytes / length, 1);
    readonly List<nint> pieces = [];

    ~NativeImages()
    {
        foreach (nint piece in pieces)
        {
            NativeMemory.Free((void*)piece);
            GC.RemoveMemoryPressure((long)inPiece * length);
        }
    }

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Takes a copy, and returns its number.</summary>
    public int Add(ReadOnlySpan<byte> image)
    {
        int number;
        lock (pieces)
        {
            number = Count;
            if (number / inPiece == pieces.Count)
            {
                pieces.Add((nint)NativeMemory.Alloc((nuint)inPiece, (nuint)length));
                GC.AddMemoryPressure((long)inPiece * length);
            }
            Count++;
        }
        image.CopyTo(At(number));
        GC.KeepAlive(this);
        return number;
    }

    /// <summary>A copy: what pointed into a piece would not keep it.</summary>
    public byte[] this[int number]
    {
        get
        {
            byte[] image = At(number).ToArray();
            GC.KeepAlive(this);
            return image;
        }
    }

    Span<byte> At(int number)
    {
        lock (pieces)
            return new((byte*)pieces[number / inPiece] + (nint)(number % inPiece) * length, length);
    }
}

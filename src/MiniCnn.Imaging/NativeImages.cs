using System.Runtime.InteropServices;

namespace MiniCnn.Imaging;

/// <summary>
/// Byte arrays of equal length in native memory. With gigabytes of live managed arrays, the garbage collector would run less often, and the garbage of
/// reading pictures and of batches would exceed the memory budget.
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

    /// <summary>Number of images.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a copy of an image and returns its index.</summary>
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

    /// <summary>A copy of an image. A span into native memory would not keep this object alive.</summary>
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

using System.Buffers.Binary;
using System.IO.Compression;

namespace MiniCnn;

/// <summary>Reads IDX files of bytes, plain or gzipped: the format of MNIST.</summary>
/// <remarks>
/// Big-endian 32-bit words, first 0x00000800 + the number of axes, then the size of each axis; then one byte an element, row-major.
/// Source: http://yann.lecun.com/exdb/mnist/. Whether a file is gzipped is told from its first two bytes, not from its name.
/// No file is trusted: sizes are checked before memory is taken, and no more is unpacked than the header declares.
/// </remarks>
public static class IdxFile
{
    /// <summary>Reads images: Pixels [Count, Rows, Columns], 0 is the background.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is not a whole IDX file of images, no more and no less.</exception>
    public static (byte[] Pixels, int Count, int Rows, int Columns) ReadImages(string path)
    {
        Span<int> sizes = stackalloc int[3];
        byte[] pixels = Read(path, "images", sizes);
        return (pixels, sizes[0], sizes[1], sizes[2]);
    }

    /// <summary>Reads labels, one byte each.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is not a whole IDX file of labels, no more and no less.</exception>
    public static byte[] ReadLabels(string path) => Read(path, "labels", stackalloc int[1]);

    static byte[] Read(string path, string what, Span<int> sizes)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: there is no such file; expected IDX {what}", path);
        using FileStream file = File.OpenRead(path);
        bool zipped = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
        file.Position = 0;
        using Stream stream = zipped ? new GZipStream(file, CompressionMode.Decompress) : file;

        Span<byte> header = stackalloc byte[4 + 4 * sizes.Length];
        int got = Fill(stream, header, path);
        uint magic = BinaryPrimitives.ReadUInt32BigEndian(header), expected = 0x800 + (uint)sizes.Length;
        if (got >= 4 && magic != expected)
            throw Bad($"it begins with 0x{magic:X8}, not with 0x{expected:X8}");
        if (got < header.Length)
            throw Bad($"it ends after {got} bytes, within the header of {header.Length}");

        var declared = new uint[sizes.Length];
        UInt128 product = 1;
        for (int axis = 0; axis < sizes.Length; axis++)
            product *= declared[axis] = BinaryPrimitives.ReadUInt32BigEndian(header[(4 + 4 * axis)..]);
        string shape = string.Join('×', declared);
        long most = zipped ? 1032 * file.Length : file.Length - header.Length;      // deflate makes 258 bytes of 2 bits at best
        if (product == 0)
            throw Bad($"its header declares {shape} bytes, which is nothing");
        if (product > (UInt128)most)
            throw Bad($"its header declares {shape} bytes, more than a {(zipped ? "gzip " : "")}file of {file.Length} bytes holds");
        if (product > (UInt128)Array.MaxLength)
            throw Bad($"its header declares {shape} bytes, more than an array holds ({Array.MaxLength})");
        for (int axis = 0; axis < sizes.Length; axis++)
            sizes[axis] = (int)declared[axis];

        // A gzip file may declare far more than it holds: memory grows with what really comes.
        int length = (int)product, filled = 0;
        byte[] data = [];
        while (filled < length)
        {
            Array.Resize(ref data, (int)long.Min(length, long.Max(8 * file.Length, 2L * filled)));
            filled += Fill(stream, data.AsSpan(filled), path);
            if (filled < data.Length)
                throw Bad($"its header declares {shape} bytes, but it ends after {filled}");
        }
        if (Fill(stream, stackalloc byte[1], path) > 0)
            throw Bad($"it goes on after the {shape} bytes that its header declares");
        if (zipped && UnpackedSize(file) != (uint)(header.Length + length))
            throw Bad("its gzip data are cut short at the very end, or something follows them");
        return data;

        InvalidDataException Bad(string fault) => new($"{path}: expected IDX {what}; {fault}");
    }

    /// <summary>The unpacked size modulo 2³², a gzip file's last word: GZipStream does not mind a file that is cut after its data.</summary>
    static uint UnpackedSize(FileStream file)
    {
        Span<byte> word = stackalloc byte[4];
        file.Position = file.Length - 4;
        file.ReadExactly(word);
        return BinaryPrimitives.ReadUInt32LittleEndian(word);
    }

    /// <summary>Reads until the buffer is full or the data end; returns the number of bytes read.</summary>
    static int Fill(Stream stream, Span<byte> buffer, string path)
    {
        try
        {
            return stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: its gzip data are damaged ({e.Message.TrimEnd('.')})", e);
        }
    }
}

using System.Buffers.Binary;
using System.IO.Compression;

namespace MiniCnn;

/// <summary>Reads IDX files of bytes, plain or gzipped. This is the file format of MNIST.</summary>
/// <remarks>
/// The header consists of big-endian 32-bit words: 0x00000800 + the number of axes, then the size of each axis. The data are one byte per element, row-major.
/// Source: http://yann.lecun.com/exdb/mnist/. A gzipped file is detected by its first two bytes, not by its name. Files are treated as untrusted: sizes are
/// checked before memory is allocated, and at most the size that the header declares is unpacked.
/// </remarks>
public static class IdxFile
{
    /// <summary>Reads images.</summary>
    /// <param name="path">Path of the file.</param>
    /// <returns>Pixels [Count, Rows, Columns]; 0 is the background.</returns>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is not an IDX file of images, is truncated, or has extra data at its end.</exception>
    public static (byte[] Pixels, int Count, int Rows, int Columns) ReadImages(string path)
    {
        Span<int> sizes = stackalloc int[3];
        byte[] pixels = Read(path, "images", sizes);
        return (pixels, sizes[0], sizes[1], sizes[2]);
    }

    /// <summary>Reads labels.</summary>
    /// <param name="path">Path of the file.</param>
    /// <returns>One byte per label.</returns>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is not an IDX file of labels, is truncated, or has extra data at its end.</exception>
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
        long most = zipped ? 1032 * file.Length : file.Length - header.Length;      // deflate: at most 258 bytes from 2 bits, 258 · 8 / 2 = 1032
        if (product == 0)
            throw Bad($"its header declares {shape} bytes, no data at all");
        if (product > (UInt128)most)
            throw Bad($"its header declares {shape} bytes, more than a {(zipped ? "gzip " : "")}file of {file.Length} bytes holds");
        if (product > (UInt128)Array.MaxLength)
            throw Bad($"its header declares {shape} bytes, more than an array holds ({Array.MaxLength})");
        for (int axis = 0; axis < sizes.Length; axis++)
            sizes[axis] = (int)declared[axis];

        // A header in a gzip file may declare much more than the file holds: memory grows with the unpacked bytes.
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
            throw Bad($"it has more data after the {shape} bytes that its header declares");
        if (zipped && UnpackedSize(file) != (uint)(header.Length + length))
            throw Bad("its gzip data are truncated in their last bytes, or followed by other data");
        return data;

        InvalidDataException Bad(string fault) => new($"{path}: expected IDX {what}; {fault}");
    }

    /// <summary>The unpacked size modulo 2³² from the last word of a gzip file: GZipStream accepts a file that is truncated after its data.</summary>
    static uint UnpackedSize(FileStream file)
    {
        Span<byte> word = stackalloc byte[4];
        file.Position = file.Length - 4;
        file.ReadExactly(word);
        return BinaryPrimitives.ReadUInt32LittleEndian(word);
    }

    /// <summary>Reads until the buffer is full or the data end. Returns the number of bytes read.</summary>
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

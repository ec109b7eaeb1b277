using System.Runtime.InteropServices;
using MiniCnn.OnnxModels.Format;
using static MiniCnn.OnnxModels.Format.TensorProto.Types;

namespace MiniCnn.OnnxModels;

/// <summary>Numbers that a file holds: floats, or whole numbers.</summary>
/// <param name="Lengths">The tensor's shape.</param>
/// <param name="Floats">The numbers, if they are floats; of other precision they were converted.</param>
/// <param name="Ints">The numbers, if they are whole.</param>
sealed record OnnxConstant(long[] Lengths, float[]? Floats, long[]? Ints)
{
    /// <summary>The shape of images in a graph begins with this number of images: any.</summary>
    public const long AnyBatch = long.MinValue;

    public int Count => Floats?.Length ?? Ints!.Length;

    public static OnnxConstant Of(params long[] values) => new([values.Length], null, values);

    /// <summary>The floats, in a shape of so many axes at most; their lengths with ones in front.</summary>
    public float[] AsFloats => Floats ?? [.. Ints!.Select(value => (float)value)];

    /// <summary>Reads a tensor.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="folder">Where the file lies: what it keeps outside may lie there and nowhere else.</param>
    public static OnnxConstant Read(TensorProto tensor, string folder)
    {
        string name = SafeTensors.OneLine(tensor.Name);
        long count = 1;
        foreach (long length in tensor.Dims)
        {
            if (length < 0 || (count *= Math.Max(length, 0)) > Array.MaxLength)
                throw new OnnxFormatException($"tensor '{name}': [{string.Join(", ", tensor.Dims)}] is no shape of a tensor that fits an array");
        }
        long[] lengths = [.. tensor.Dims];
        ReadOnlySpan<byte> raw = tensor.DataLocation == DataLocation.External ? External(tensor, name, folder) : tensor.RawData.Span;
        bool isRaw = tensor.DataLocation == DataLocation.External || !tensor.RawData.IsEmpty;
        int size = tensor.DataType switch
        {
            DataType.Float or DataType.Int32 => 4,
            DataType.Double or DataType.Int64 => 8,
            DataType.Float16 or DataType.Bfloat16 => 2,
            DataType.Bool or DataType.Uint8 or DataType.Int8 => 1,
            _ => throw new OnnxFormatException($"tensor '{name}' is of {tensor.DataType}, which no layer takes"),
        };
        long there = isRaw ? raw.Length / size : tensor.DataType switch
        {
            DataType.Float => tensor.FloatData.Count,
            DataType.Double => tensor.DoubleData.Count,
            DataType.Int64 => tensor.Int64Data.Count,
            _ => tensor.Int32Data.Count,
        };
        if (there != count || (isRaw && raw.Length % size != 0))
            throw new OnnxFormatException($"tensor '{name}': [{string.Join(", ", lengths)}] takes {count} numbers, but there are {there}");
        return tensor.DataType switch
        {
            DataType.Float => new(lengths, isRaw ? MemoryMarshal.Cast<byte, float>(raw).ToArray() : [.. tensor.FloatData], null),
            DataType.Double => new(lengths, isRaw ? [.. MemoryMarshal.Cast<byte, double>(raw).ToArray().Select(value => (float)value)] : [.. tensor.DoubleData.Select(value => (float)value)], null),
            DataType.Float16 => new(lengths, isRaw ? [.. MemoryMarshal.Cast<byte, Half>(raw).ToArray().Select(value => (float)value)]
                : [.. tensor.Int32Data.Select(value => (float)BitConverter.UInt16BitsToHalf((ushort)value))], null),
            DataType.Bfloat16 => new(lengths, isRaw ? [.. MemoryMarshal.Cast<byte, ushort>(raw).ToArray().Select(FromBfloat16)] : [.. tensor.Int32Data.Select(value => FromBfloat16((ushort)value))], null),
            DataType.Int64 => new(lengths, null, isRaw ? MemoryMarshal.Cast<byte, long>(raw).ToArray() : [.. tensor.Int64Data]),
            DataType.Int32 => new(lengths, null, isRaw ? [.. MemoryMarshal.Cast<byte, int>(raw).ToArray().Select(value => (long)value)] : [.. tensor.Int32Data.Select(value => (long)value)]),
            DataType.Int8 => new(lengths, null, isRaw ? [.. raw.ToArray().Select(value => (long)(sbyte)value)] : [.. tensor.Int32Data.Select(value => (long)value)]),
            _ => new(lengths, null, isRaw ? [.. raw.ToArray().Select(value => (long)value)] : [.. tensor.Int32Data.Select(value => (long)value)]),
        };

        static float FromBfloat16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
    }

    /// <summary>Numbers in a file beside the model's: not in a folder there, which could be a link.</summary>
    static byte[] External(TensorProto tensor, string name, string folder)
    {
        Dictionary<string, string> says = tensor.ExternalData.GroupBy(entry => entry.Key).ToDictionary(group => group.Key, group => group.Last().Value);
        string file = says.GetValueOrDefault("location", "");
        if (file is "" or "." or ".." || file.AsSpan().ContainsAny('/', '\\', ':'))
            throw new OnnxFormatException($"tensor '{name}' lies in '{SafeTensors.OneLine(file)}', which is no name of a file in the model's folder");
        string path = Path.Combine(folder, file);
        if (new FileInfo(path) is not { Exists: true, LinkTarget: null } info)
            throw new OnnxFormatException($"tensor '{name}' lies in {SafeTensors.OneLine(path)}, which is not there or a link");
        if (!long.TryParse(says.GetValueOrDefault("offset", "0"), out long offset) || offset < 0 || offset > info.Length
            || !long.TryParse(says.GetValueOrDefault("length", $"{info.Length - offset}"), out long length) || length < 0 || length > Math.Min(info.Length - offset, Array.MaxLength))
        {
            throw new OnnxFormatException($"tensor '{name}' is to lie at an offset and of a length that {SafeTensors.OneLine(path)} does not have");
        }
        byte[] bytes = new byte[length];
        using FileStream stream = info.OpenRead();
        stream.Position = offset;
        stream.ReadExactly(bytes);
        return bytes;
    }
}

using System.Runtime.InteropServices;
using MiniCnn.OnnxModels.Format;
using static MiniCnn.OnnxModels.Format.TensorProto.Types;

namespace MiniCnn.OnnxModels;

/// <summary>A constant tensor of a graph: floats or integers.</summary>
/// <param name="Lengths">The tensor's shape.</param>
/// <param name="Floats">The values if they are floating-point, converted to float; otherwise null.</param>
/// <param name="Ints">The values if they are integers; otherwise null.</param>
sealed record OnnxConstant(long[] Lengths, float[]? Floats, long[]? Ints)
{
    /// <summary>Stands for the dynamic batch size, the first dimension in a shape of images.</summary>
    public const long AnyBatch = long.MinValue;

    public int Count => Floats?.Length ?? Ints!.Length;

    public static OnnxConstant Of(params long[] values) => new([values.Length], null, values);

    /// <summary>The values as floats; integers are converted.</summary>
    public float[] AsFloats => Floats ?? [.. Ints!.Select(value => (float)value)];

    /// <summary>Reads a tensor, including external data.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="folder">Folder of the file. External data is read only from this folder.</param>
    public static OnnxConstant Read(TensorProto tensor, string folder)
    {
        string name = SafeTensors.OneLine(tensor.Name);
        long count = 1;
        foreach (long length in tensor.Dims)
        {
            if (length < 0 || (count *= Math.Max(length, 0)) > Array.MaxLength)
                throw new OnnxFormatException($"tensor '{name}': the shape [{string.Join(", ", tensor.Dims)}] is negative or too large for an array");
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
            _ => throw new OnnxFormatException($"tensor '{name}' is of type {tensor.DataType}, which is not supported"),
        };
        long there = isRaw ? raw.Length / size : tensor.DataType switch
        {
            DataType.Float => tensor.FloatData.Count,
            DataType.Double => tensor.DoubleData.Count,
            DataType.Int64 => tensor.Int64Data.Count,
            _ => tensor.Int32Data.Count,
        };
        if (there != count || (isRaw && raw.Length % size != 0))
            throw new OnnxFormatException($"tensor '{name}': [{string.Join(", ", lengths)}] needs {count} numbers, but has {there}");
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

    /// <summary>Reads external data from a file in the folder of the model. Subfolders are refused, because they could be links.</summary>
    static byte[] External(TensorProto tensor, string name, string folder)
    {
        Dictionary<string, string> says = tensor.ExternalData.GroupBy(entry => entry.Key).ToDictionary(group => group.Key, group => group.Last().Value);
        string file = says.GetValueOrDefault("location", "");
        if (file is "" or "." or ".." || file.AsSpan().ContainsAny('/', '\\', ':'))
            throw new OnnxFormatException($"tensor '{name}': the location '{SafeTensors.OneLine(file)}' is not the name of a file in the model's folder");
        string path = Path.Combine(folder, file);
        if (new FileInfo(path) is not { Exists: true, LinkTarget: null } info)
            throw new OnnxFormatException($"tensor '{name}': the external data {SafeTensors.OneLine(path)} does not exist or is a link");
        if (!long.TryParse(says.GetValueOrDefault("offset", "0"), out long offset) || offset < 0 || offset > info.Length
            || !long.TryParse(says.GetValueOrDefault("length", $"{info.Length - offset}"), out long length) || length < 0 || length > Math.Min(info.Length - offset, Array.MaxLength))
        {
            throw new OnnxFormatException($"tensor '{name}': its offset and length are not inside {SafeTensors.OneLine(path)}, which has {info.Length} bytes");
        }
        byte[] bytes = new byte[length];
        using FileStream stream = info.OpenRead();
        stream.Position = offset;
        stream.ReadExactly(bytes);
        return bytes;
    }
}

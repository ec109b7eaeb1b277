using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MiniCnn;

/// <summary>The contents of a safetensors file.</summary>
/// <param name="Tensors">Tensors by name.</param>
/// <param name="Metadata">Text by name; empty if the file has no metadata.</param>
public sealed record SafeTensorsFile(
    IReadOnlyDictionary<string, SafeTensors.Entry> Tensors, IReadOnlyDictionary<string, string> Metadata);

/// <summary>
/// Reads and writes safetensors files: named tensors, the usual exchange format of PyTorch and Hugging Face. A file consists of the length of the header as a
/// little-endian u64, a JSON header of this length, and the elements of the tensors, little-endian and row-major. See
/// https://github.com/huggingface/safetensors#format.
/// </summary>
public static partial class SafeTensors
{
    const int LargestHeader = 100_000_000;

    // The order of the data in a file: wide elements first, so that every tensor is aligned to the size of its elements.
    static readonly (string Name, int Size, Type? Element)[] Types =
    [
        ("F64", 8, typeof(double)), ("I64", 8, typeof(long)), ("U64", 8, typeof(ulong)),
        ("F32", 4, typeof(float)), ("I32", 4, typeof(int)), ("U32", 4, typeof(uint)),
        ("F16", 2, typeof(Half)), ("BF16", 2, null), ("I16", 2, typeof(short)), ("U16", 2, typeof(ushort)),
        ("U8", 1, typeof(byte)), ("I8", 1, typeof(sbyte)), ("BOOL", 1, null), ("F8_E4M3", 1, null), ("F8_E5M2", 1, null),
    ];

    /// <summary>One tensor of a file.</summary>
    public sealed class Entry
    {
        /// <summary>Creates a tensor. The data are not copied.</summary>
        /// <param name="type">Element type: "F32", "F64", "I64", "U8" and so on.</param>
        /// <param name="shape">Length of each axis; empty for a single number.</param>
        /// <param name="data">The elements, row-major, little-endian.</param>
        /// <exception cref="ArgumentException">The type is unknown, or the number of bytes does not match type and shape.</exception>
        public Entry(string type, ImmutableArray<long> shape, ReadOnlyMemory<byte> data)
        {
            if (Fault(type, shape.AsSpan(), data.Length) is string fault) throw new ArgumentException(fault);
            (Type, Shape, Data) = (type, shape, data);
        }

        /// <summary>Element type: "F32", "F64", "I64", "U8" and so on.</summary>
        public string Type { get; }

        /// <summary>Length of each axis; empty for a single number.</summary>
        public ImmutableArray<long> Shape { get; }

        /// <summary>The elements, row-major, little-endian.</summary>
        public ReadOnlyMemory<byte> Data { get; }

        /// <summary>Returns the elements as numbers, without a copy.</summary>
        /// <exception cref="InvalidDataException">The tensor's element type is not <typeparamref name="T"/>.</exception>
        public ReadOnlySpan<T> As<T>() where T : unmanaged => TypeOf<T>() == Type
            ? MemoryMarshal.Cast<byte, T>(Data.Span)
            : throw new InvalidDataException($"expected elements of type {TypeOf<T>()}, the tensor {this} has {Type}");

        /// <summary>Whether <see cref="CopyTo{T}"/> can convert the elements to float.</summary>
        internal bool IsFloatingPoint => Type is "F32" or "F64" or "F16" or "BF16";

        /// <summary>“[8, 1, 5, 5]”.</summary>
        internal string ShapeText => $"[{string.Join(", ", Shape)}]";

        /// <summary>
        /// Copies the elements. For float, other floating-point types are converted like PyTorch's <c>.float()</c>: F64 is rounded to nearest, ties to even,
        /// and to infinity outside the range of float; F16 and BF16 are exact.
        /// </summary>
        /// <exception cref="InvalidDataException">The tensor's element type is not <typeparamref name="T"/> and cannot be converted to it.</exception>
        internal void CopyTo<T>(Span<T> to) where T : unmanaged
        {
            if (typeof(T) != typeof(float) || Type is "F32" || !IsFloatingPoint)
            {
                As<T>().CopyTo(to);
                return;
            }
            Span<float> floats = MemoryMarshal.Cast<T, float>(to);
            if (Type is "F64")
                TensorPrimitives.ConvertTruncating(As<double>(), floats);              // truncates only for integer types; for float it rounds
            else if (Type is "F16")
                TensorPrimitives.ConvertToSingle(As<Half>(), floats);
            else
            {
                ReadOnlySpan<ushort> upper = MemoryMarshal.Cast<byte, ushort>(Data.Span);      // BF16: the upper 16 bits of a float
                for (int i = 0; i < upper.Length; i++)
                    floats[i] = BitConverter.UInt32BitsToSingle((uint)upper[i] << 16);
            }
        }

        /// <summary>Creates a tensor from a copy of row-major <paramref name="elements"/> with a shape.</summary>
        public static Entry From<T>(ReadOnlySpan<T> elements, params ReadOnlySpan<long> shape) where T : unmanaged =>
            new(TypeOf<T>(), [.. shape], MemoryMarshal.AsBytes(elements).ToArray());

        /// <summary>Creates a tensor from a copy of a <see cref="Tensor{T}"/>.</summary>
        public static Entry From(Tensor<float> tensor)
        {
            ArgumentNullException.ThrowIfNull(tensor);
            var elements = new float[tensor.FlattenedLength];
            tensor.FlattenTo(elements);
            return From<float>(elements, [.. tensor.Lengths]);
        }

        /// <summary>Returns type and shape: “F32 [8, 1, 5, 5]”.</summary>
        public override string ToString() => $"{Type} {ShapeText}";
    }

    /// <summary>Writes a file atomically. The same content gives the same bytes.</summary>
    /// <param name="path">Path of the file; an existing file is replaced.</param>
    /// <param name="tensors">Tensors by name, in any order.</param>
    /// <param name="metadata">Text by name.</param>
    /// <exception cref="ArgumentException">A name occurs twice, is “__metadata__” or is not valid Unicode; or the header is larger than 100 MB.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(
        string path, IEnumerable<KeyValuePair<string, Entry>> tensors, IEnumerable<KeyValuePair<string, string>>? metadata = null) =>
        Write(path, tensors, metadata, previous: null);

    /// <summary>Writes a file atomically, and first renames an existing file to <paramref name="previous"/> if that is not null.</summary>
    internal static void Write(
        string path, IEnumerable<KeyValuePair<string, Entry>> tensors, IEnumerable<KeyValuePair<string, string>>? metadata, string? previous)
    {
        KeyValuePair<string, Entry>[] sorted = tensors.OrderBy(t => t.Key, StringComparer.Ordinal).ToArray();
        KeyValuePair<string, Entry>[] stored = sorted.OrderBy(t => IndexOf(t.Value.Type)).ToArray();    // stable: by name within a type
        Dictionary<string, long> offsets = new();
        long end = 0;
        foreach ((string name, Entry entry) in stored)
        {
            if (name == "__metadata__") throw new ArgumentException($"safetensors: '{name}' is not allowed as the name of a tensor");
            if (!offsets.TryAdd(name, end)) throw new ArgumentException($"safetensors: the tensor '{name}' occurs twice");
            end += entry.Data.Length;
        }

        ArrayBufferWriter<byte> header = new();
        using (Utf8JsonWriter json = new(header))
        {
            json.WriteStartObject();
            if (metadata is not null)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string name, string text) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
                    json.WriteString(Encoded(name), Encoded(text));
                json.WriteEndObject();
            }
            foreach ((string name, Entry entry) in sorted)
            {
                json.WriteStartObject(Encoded(name));
                json.WriteString("dtype", entry.Type);
                json.WriteStartArray("shape");
                foreach (long length in entry.Shape) json.WriteNumberValue(length);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offsets[name]);
                json.WriteNumberValue(offsets[name] + entry.Data.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (header.WrittenCount % 8 != 0) header.Write(" "u8);
        if (header.WrittenCount > LargestHeader)
            throw new ArgumentException($"safetensors: a header of {header.WrittenCount} bytes is over the limit of {LargestHeader}");

        AtomicFile.Write(path, previous, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.WrittenCount);
            stream.Write(length);
            stream.Write(header.WrittenSpan);
            foreach ((string _, Entry? entry) in stored) stream.Write(entry.Data.Span);
        });
    }

    // Throws on a lone surrogate, unlike the encoding of Utf8JsonWriter.
    internal static JsonEncodedText Encoded(string text) => JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);

    static int IndexOf(string type) => Array.FindIndex(Types, t => t.Name == type);

    internal static string TypeOf<T>() => Array.Find(Types, t => t.Element == typeof(T)).Name is string name && BitConverter.IsLittleEndian
        ? name
        : throw new NotSupportedException($"safetensors: no element type for {typeof(T)} on this machine");

    // Describes why this number of bytes is not a tensor of this type and shape; null if it is.
    static string? Fault(string type, ReadOnlySpan<long> shape, long bytes)
    {
        if (IndexOf(type) is var index && index < 0) return $"unknown dtype '{type}'";
        long expected = Types[index].Size;
        foreach (long length in shape)
        {
            if (length < 0) return $"negative length {length} in the shape";
            if (length != 0 && expected > long.MaxValue / length) return "the shape's product overflows";
            expected *= length;
        }
        return expected == bytes ? null : $"{type} [{string.Join(", ", shape.ToArray())}] needs {expected} bytes, but the data have {bytes}";
    }
}

using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;

namespace MiniCnn;

public static partial class SafeTensors
{
    // A tensor as declared in the header; its data are at Begin ≤ offset < End after the header.
    sealed record Declared(string Name, string Type, ImmutableArray<long> Shape, long Begin, long End);

    /// <summary>Reads a file. Header and layout are validated completely, so untrusted files are safe to read.</summary>
    /// <param name="path">Path of the file.</param>
    /// <returns>Tensors and metadata.</returns>
    /// <exception cref="InvalidDataException">
    /// The file is not a complete, well-formed safetensors file. The message is one line that names the file, the tensor and the error.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafeTensorsFile Read(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            (List<Declared> declared, Dictionary<string, string> metadata) = ReadHeader(stream);
            var data = new byte[stream.Length - stream.Position];
            CheckLayout(declared, data.Length);
            stream.ReadExactly(data);
            return new(
                declared.ToDictionary(t => t.Name, t => new Entry(t.Type, t.Shape, data.AsMemory((int)t.Begin, (int)(t.End - t.Begin)))),
                metadata);
        }
        catch (InvalidDataException fault)
        {
            throw new InvalidDataException(OneLine($"{path}: {fault.Message}"), fault.InnerException);
        }
    }

    /// <summary>Returns whether a file exists, has a well-formed header, and has the length that the header declares.</summary>
    internal static bool IsWhole(string path)
    {
        if (!File.Exists(path)) return false;
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            (List<Declared> declared, _) = ReadHeader(stream);
            CheckLayout(declared, stream.Length - stream.Position);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    static (List<Declared>, Dictionary<string, string>) ReadHeader(FileStream stream)
    {
        if (stream.Length < 8) throw new InvalidDataException($"not a safetensors file: {stream.Length} bytes, expected at least 8");
        if (stream.Length > Array.MaxLength) throw new InvalidDataException($"{stream.Length} bytes, over the limit of {Array.MaxLength}");
        Span<byte> prefix = stackalloc byte[8];
        stream.ReadExactly(prefix);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > LargestHeader)
            throw new InvalidDataException($"not a safetensors file: a header of {length} bytes, over the limit of {LargestHeader}");
        if ((long)length > stream.Length - 8)
            throw new InvalidDataException($"truncated: a header of {length} bytes, but the file has {stream.Length - 8} after the first 8");

        var header = new byte[length];
        stream.ReadExactly(header);
        if (header is not [(byte)'{', ..]) throw new InvalidDataException("the header does not start with '{'");
        if (!Utf8.IsValid(header)) throw new InvalidDataException("the header is not UTF-8");
        try
        {
            return Parse(header);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)    // InvalidOperationException: an escaped lone surrogate
        {
            throw new InvalidDataException($"the header is not JSON: {e.Message}", e);
        }
    }

    // {"__metadata__": {name: text, …}, tensor: {"dtype": …, "shape": […], "data_offsets": [begin, end]}, …}
    static (List<Declared>, Dictionary<string, string>) Parse(ReadOnlySpan<byte> header)
    {
        Utf8JsonReader json = new(header);
        HashSet<string> names = new();
        List<Declared> tensors = new();
        Dictionary<string, string> metadata = new();
        json.Read();
        while (NextName(ref json) is string name)
        {
            if (!names.Add(name)) throw Bad(name, "occurs twice");
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject) throw Bad(name, "expected an object");
            if (name != "__metadata__")
            {
                tensors.Add(ReadTensor(ref json, name));
                continue;
            }
            while (NextName(ref json) is string key)
            {
                if (!metadata.TryAdd(key, ReadText(ref json, name, key))) throw Bad(name, $"'{key}' occurs twice");
            }
        }
        json.Read();    // throws on text other than white space after the object
        return (tensors, metadata);
    }

    static Declared ReadTensor(ref Utf8JsonReader json, string name)
    {
        string? type = null;
        List<long>? shape = null, offsets = null;
        while (NextName(ref json) is string key)
        {
            if (key == "dtype" && type is null) type = ReadText(ref json, name, key);
            else if (key == "shape" && shape is null) shape = ReadNumbers(ref json, name, key);
            else if (key == "data_offsets" && offsets is null) offsets = ReadNumbers(ref json, name, key);
            else throw Bad(name, $"the field '{key}' is unknown or occurs twice");
        }
        if (type is null || shape is null || offsets is null) throw Bad(name, "expected 'dtype', 'shape' and 'data_offsets'");
        if (offsets is not [var begin, var end] || begin > end) throw Bad(name, "expected two ascending numbers in 'data_offsets'");
        if (Fault(type, [.. shape], end - begin) is string fault) throw Bad(name, fault);
        return new(name, type, [.. shape], begin, end);
    }

    // The name of the next property of the current object; null at its end.
    static string? NextName(ref Utf8JsonReader json) =>
        json.Read() && json.TokenType == JsonTokenType.PropertyName ? json.GetString() : null;

    static string ReadText(ref Utf8JsonReader json, string name, string key) =>
        json.Read() && json.TokenType == JsonTokenType.String ? json.GetString()! : throw Bad(name, $"expected text for '{key}'");

    static List<long> ReadNumbers(ref Utf8JsonReader json, string name, string key)
    {
        List<long> numbers = new();
        if (!json.Read() || json.TokenType != JsonTokenType.StartArray) throw Bad(name, $"expected a list for '{key}'");
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out long number) || number < 0)
                throw Bad(name, $"expected whole numbers from 0 to 2⁶³ − 1 in '{key}'");
            numbers.Add(number);
        }
        return numbers;
    }

    // The data of the tensors must cover 0 … length without gap or overlap, in any order.
    static void CheckLayout(List<Declared> tensors, long length)
    {
        long end = 0;
        foreach (Declared? tensor in tensors.OrderBy(t => t.Begin).ThenBy(t => t.End))
        {
            if (tensor.Begin < end) throw Bad(tensor.Name, $"begins at {tensor.Begin} and overlaps data that ends at {end}");
            if (tensor.Begin > end) throw Bad(tensor.Name, $"begins at {tensor.Begin} and leaves a gap after {end}");
            if (tensor.End > length) throw Bad(tensor.Name, $"ends at {tensor.End}, past the end of the data at {length}");
            end = tensor.End;
        }
        if (end != length) throw new InvalidDataException($"{length - end} bytes after the last tensor");
    }

    static InvalidDataException Bad(string name, string fault) => new($"tensor '{name}': {fault}");

    // Messages contain names from the file: control characters are replaced, and long messages (a name may have 100 MB) are shortened.
    internal static string OneLine(string message)
    {
        if (message.Length > 1000) message = $"{message[..600]} … {message[^400..]}";
        return string.Concat(message.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c));
    }
}

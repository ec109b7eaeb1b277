using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;

namespace MiniCnn;

public static partial class SafeTensors
{
    // One tensor as the header declares it; its data lies at Begin ≤ offset < End after the header.
    sealed record Declared(string Name, string Type, ImmutableArray<long> Shape, long Begin, long End);

    /// <summary>Reads <paramref name="path"/>. All of it is checked: nothing in a file is taken on trust.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is not a whole, well-formed safetensors file. The message is one line that names file, tensor and fault.
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

    /// <summary>Whether a file is there, and as long as its well-formed header says.</summary>
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
            throw new InvalidDataException($"truncated: a header of {length} bytes, the file has {stream.Length - 8} after the first 8");

        var header = new byte[length];
        stream.ReadExactly(header);
        if (header is not [(byte)'{', ..]) throw new InvalidDataException("the header does not start with '{'");
        if (!Utf8.IsValid(header)) throw new InvalidDataException("the header is not UTF-8");
        try
        {
            return Parse(header);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)    // the latter: half a surrogate pair, escaped
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
            if (!names.Add(name)) throw Bad(name, "is there twice");
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject) throw Bad(name, "expected an object");
            if (name != "__metadata__")
            {
                tensors.Add(ReadTensor(ref json, name));
                continue;
            }
            while (NextName(ref json) is string key)
            {
                if (!metadata.TryAdd(key, ReadText(ref json, name, key))) throw Bad(name, $"'{key}' is there twice");
            }
        }
        json.Read();    // throws on anything but white space
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
            else throw Bad(name, $"the field '{key}' is unknown or there twice");
        }
        if (type is null || shape is null || offsets is null) throw Bad(name, "expected 'dtype', 'shape' and 'data_offsets'");
        if (offsets is not [var begin, var end] || begin > end) throw Bad(name, "expected two ascending numbers in 'data_offsets'");
        if (Fault(type, [.. shape], end - begin) is string fault) throw Bad(name, fault);
        return new(name, type, [.. shape], begin, end);
    }

    // The next property of the object the reader is in; null at its end.
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

    // The tensors' data must cover 0 … length without hole or overlap, in whatever order.
    static void CheckLayout(List<Declared> tensors, long length)
    {
        long end = 0;
        foreach (Declared? tensor in tensors.OrderBy(t => t.Begin).ThenBy(t => t.End))
        {
            if (tensor.Begin < end) throw Bad(tensor.Name, $"begins at {tensor.Begin} and overlaps data that ends at {end}");
            if (tensor.Begin > end) throw Bad(tensor.Name, $"begins at {tensor.Begin} and leaves a hole after {end}");
            if (tensor.End > length) throw Bad(tensor.Name, $"ends at {tensor.End}, past the end of the data at {length}");
            end = tensor.End;
        }
        if (end != length) throw new InvalidDataException($"{length - end} bytes after the last tensor");
    }

    static InvalidDataException Bad(string name, string fault) => new($"tensor '{name}': {fault}");

    // Names come from the file: control characters would break the line, and a name may be a hundred megabytes.
    internal static string OneLine(string message)
    {
        if (message.Length > 1000) message = $"{message[..600]} … {message[^400..]}";
        return string.Concat(message.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c));
    }
}

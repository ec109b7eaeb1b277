using System.Numerics;
using System.Text.Json;

namespace MiniCnn.Parity;

/// <summary>What TorchSharp computed for the table of cases, its inputs included, read from a safetensors file.</summary>
public sealed class Recording
{
    readonly string path;
    readonly SafeTensorsFile file;

    Recording(string path, SafeTensorsFile file) => (this.path, this.file) = (path, file);

    /// <summary>The recording that is copied beside every program of this solution that uses it.</summary>
    public static string DefaultPath => Path.Combine(AppContext.BaseDirectory, "recorded", "torchsharp-0.106.0.safetensors");

    /// <summary>Reads a recording and makes sure that it is one of this table.</summary>
    /// <exception cref="InvalidDataException">It is not whole, or not a recording, or one of another table.</exception>
    public static Recording Read(string path, CaseTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        SafeTensorsFile file = SafeTensors.Read(path);
        if (!file.Metadata.TryGetValue("cases", out var json) || !file.Metadata.ContainsKey("recorded_with"))
            throw new InvalidDataException($"{path}: not a recording: 'cases' and 'recorded_with' are not in its metadata");
        using JsonDocument cases = JsonDocument.Parse(json);
        if (!JsonElement.DeepEquals(cases.RootElement, table.Json))
            throw new InvalidDataException($"{path}: its cases are not those of the table; record anew, or take the table it was made from");
        return new(path, file);
    }

    /// <summary>What it was recorded with: versions of TorchSharp and libtorch.</summary>
    public string RecordedWith => file.Metadata["recorded_with"];

    /// <summary>The tensor of a name.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public SafeTensors.Entry this[string name] =>
        file.Tensors.TryGetValue(name, out SafeTensors.Entry? entry) ? entry : throw new InvalidDataException($"{path}: there is no tensor '{name}'");

    /// <summary>What went into a case.</summary>
    public Conv2dInputs<T> Inputs<T>(Conv2dCase c) where T : unmanaged, INumber<T> =>
        new(Numbers<T>(c, "x"), Numbers<T>(c, "weight"), c.Bias ? Numbers<T>(c, "bias") : [], Numbers<T>(c, "dy"));

    /// <summary>What TorchSharp made of it.</summary>
    public Conv2dResults<T> Results<T>(Conv2dCase c) where T : unmanaged, INumber<T> =>
        new(Numbers<T>(c, "y"), Numbers<T>(c, "dx"), Numbers<T>(c, "dweight"), c.Bias ? Numbers<T>(c, "dbias") : []);

    T[] Numbers<T>(Conv2dCase c, string name) where T : unmanaged => this[$"{c.Id}.{name}"].As<T>().ToArray();
}

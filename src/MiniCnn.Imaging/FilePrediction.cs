using System.Buffers;

namespace MiniCnn.Imaging;

/// <summary>What a picture of a folder shows, or why that cannot be told.</summary>
/// <param name="Name">Its path below the folder, with slashes.</param>
/// <param name="Prediction">What it shows; null if there is a reason why not.</param>
/// <param name="Reason">Why there is no prediction; null if there is one.</param>
public readonly record struct FilePrediction(string Name, Prediction? Prediction, string? Reason)
{
    static readonly SearchValues<char> quoted = SearchValues.Create(",\"\r\n");

    /// <summary>The names of the columns of <see cref="ToCsv"/>: “file,class,probability,reason”.</summary>
    public const string CsvHeader = "file,class,probability,reason";

    /// <summary>A line of comma-separated values, with a point in numbers; fields that hold a comma, a quotation mark or a line's end are quoted.</summary>
    /// <remarks>Source: RFC 4180.</remarks>
    public string ToCsv() =>
        FormattableString.Invariant($"{Quoted(Name)},{Quoted(Prediction?.ClassName)},{Prediction?.Probability},{Quoted(Reason)}");

    static string? Quoted(string? field) =>
        field.AsSpan().ContainsAny(quoted) ? $"\"{field!.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}

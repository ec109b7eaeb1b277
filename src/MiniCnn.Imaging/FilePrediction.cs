using System.Buffers;

namespace MiniCnn.Imaging;

/// <summary>The prediction for a file of a folder, or the reason why there is none.</summary>
/// <param name="Name">The path relative to the folder, with slashes.</param>
/// <param name="Prediction">The prediction; null if there is a <paramref name="Reason"/>.</param>
/// <param name="Reason">Why there is no prediction; null if there is one.</param>
public readonly record struct FilePrediction(string Name, Prediction? Prediction, string? Reason)
{
    static readonly SearchValues<char> quoted = SearchValues.Create(",\"\r\n");

    /// <summary>The CSV header line for <see cref="ToCsv"/>: “file,class,probability,reason”.</summary>
    public const string CsvHeader = "file,class,probability,reason";

    /// <summary>
    /// Formats the prediction as a CSV line, without a line break at its end. Numbers have a decimal point in every culture; fields with a comma, a quotation
    /// mark or a line break are quoted.
    /// </summary>
    /// <remarks>Source: RFC 4180.</remarks>
    public string ToCsv() =>
        FormattableString.Invariant($"{Quoted(Name)},{Quoted(Prediction?.ClassName)},{Prediction?.Probability},{Quoted(Reason)}");

    static string? Quoted(string? field) =>
        field.AsSpan().ContainsAny(quoted) ? $"\"{field!.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}

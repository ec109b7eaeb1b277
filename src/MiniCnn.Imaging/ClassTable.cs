using Microsoft.VisualBasic.FileIO;

namespace MiniCnn.Imaging;

/// <summary>A file of comma-separated values that tells the classes of pictures; see <see cref="ImageFolder.FromCsv"/>.</summary>
static class ClassTable
{
    /// <returns>Of pictures the class, and what is named but is no picture of these.</returns>
    public static (Dictionary<string, string> Classes, List<SkippedFile> Missing) Read(
        string csv, string[] pictures, string? fileColumn, string? classColumn)
    {
        ILookup<string, string> found = pictures.SelectMany(name => new[] { name, name[..^Path.GetExtension(name).Length] }.Distinct()
            .Select(key => (Key: key, Name: name))).ToLookup(pair => pair.Key, pair => pair.Name);
        (long Line, string[] Fields)[] lines = [.. Lines(csv)];
        (int file, int label) = (0, 1);
        bool isNamed = fileColumn is not null || classColumn is not null;
        if (lines is [(_, string[] first), ..] && (isNamed || !(found.Contains(Slashed(first[0])) || PictureFolder.IsPictureName(first[0]))))
        {
            (file, label) = (Column(fileColumn, 0), Column(classColumn, 1));
            lines = lines[1..];

            int Column(string? name, int otherwise) => name is null ? otherwise : Array.IndexOf(first, name) is >= 0 and int column ? column
                : throw new InvalidDataException($"{csv}: has no column {name}, but {SkippedFile.List(first)}");
        }

        Dictionary<string, string> classes = [];
        List<SkippedFile> missing = [];
        foreach ((long line, string[] fields) in lines)
        {
            if (fields.Length <= Math.Max(file, label))
            {
                string hint = fields[0].AsSpan().ContainsAny(';', '\t') ? ", which are parted by commas" : "";
                throw Bad(line, $"expected a picture and its class{hint}, found {SkippedFile.List(fields)}");
            }
            if (fields[label] == "")
                throw Bad(line, $"{SkippedFile.List([fields[file]])} has no class");
            string key = Slashed(fields[file]);
            string[] named = [.. found[key]];
            if (named.Length > 1)
                throw Bad(line, $"{key} may be {SkippedFile.List(named)}; write its extension too");
            if (named.Length == 0)
                missing.Add(new(key, $"named in {Path.GetFileName(csv)}, but not there", fields[label]));
            else if (!classes.TryAdd(named[0], fields[label]) && classes[named[0]] != fields[label])
                throw Bad(line, $"{named[0]} is of the class {SkippedFile.List([fields[label]])} here, and of {SkippedFile.List([classes[named[0]]])} before");
        }
        return (classes, missing);

        InvalidDataException Bad(long line, string fault) => new($"{csv}, line {line}: {fault}");

        static string Slashed(string name)
        {
            name = name.Replace('\\', '/');
            return name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;
        }
    }

    static IEnumerable<(long Line, string[] Fields)> Lines(string csv)
    {
        using FileStream file = new(csv, FileMode.Open, FileAccess.Read, FileShare.Read);
        using TextFieldParser parser = new(file) { Delimiters = [","] };
        while (!parser.EndOfData)
        {
            long line = parser.LineNumber;
            string[]? fields;
            try
            {
                fields = parser.ReadFields();
            }
            catch (MalformedLineException e)
            {
                throw new InvalidDataException($"{csv}, line {line}: a quotation mark that does not end, or in the middle of a field", e);
            }
            // The parser passes over empty lines, and knows the next one.
            if (fields is not null)
                yield return (parser.LineNumber > 0 ? parser.LineNumber - 1 : File.ReadLines(csv).Count(), fields);
        }
    }
}

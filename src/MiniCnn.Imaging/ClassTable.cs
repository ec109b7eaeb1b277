using Microsoft.VisualBasic.FileIO;

namespace MiniCnn.Imaging;

/// <summary>A CSV file with the class of each picture; see <see cref="ImageFolder.FromCsv"/>.</summary>
static class ClassTable
{
    /// <returns>The class of each picture that the file names, and the names in the file that match no picture.</returns>
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
                : throw new InvalidDataException($"{csv}: expected a column {name}, found the columns {SkippedFile.List(first)}");
        }

        Dictionary<string, string> classes = [];
        List<SkippedFile> missing = [];
        foreach ((long line, string[] fields) in lines)
        {
            if (fields.Length <= Math.Max(file, label))
            {
                string hint = fields[0].AsSpan().ContainsAny(';', '\t') ? ", separated by a comma" : "";
                throw Bad(line, $"expected a picture and its class{hint}, found {SkippedFile.List(fields)}");
            }
            if (fields[label] == "")
                throw Bad(line, $"{SkippedFile.List([fields[file]])} has no class");
            string key = Slashed(fields[file]);
            string[] named = [.. found[key]];
            if (named.Length > 1)
                throw Bad(line, $"{key} matches several pictures, {SkippedFile.List(named)}; add the extension");
            if (named.Length == 0)
                missing.Add(new(key, $"named in {Path.GetFileName(csv)}, but the file does not exist", fields[label]));
            else if (!classes.TryAdd(named[0], fields[label]) && classes[named[0]] != fields[label])
                throw Bad(line, $"{named[0]} is {SkippedFile.List([fields[label]])} here, but {SkippedFile.List([classes[named[0]]])} in an earlier line");
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
                throw new InvalidDataException($"{csv}, line {line}: a quotation mark is not closed, or is inside a field", e);
            }
            // The parser skips empty lines, so the line number is known only after the fields are read: it is that of the next line.
            if (fields is not null)
                yield return (parser.LineNumber > 0 ? parser.LineNumber - 1 : File.ReadLines(csv).Count(), fields);
        }
    }
}

using System.Text.RegularExpressions;

namespace MiniCnn.Tests;

/// <summary>README.md and the pages in docs: the blocks that tests write, and the programs that tests run.</summary>
static class Documents
{
    static readonly Lock writing = new();

    public static IReadOnlyList<string> Paths { get; } =
        [Path.Combine(Repository.Root, "README.md"), .. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md").Order(StringComparer.Ordinal)];

    /// <summary>The programs by name: each block of C# that follows a line “program: name” in a comment.</summary>
    public static IReadOnlyDictionary<string, string> Programs { get; } = Paths
        .SelectMany(path => Regex.Matches(Read(path), "<!-- program: (.+) -->\n```csharp\n((?s:.*?))```"))
        .ToDictionary(program => program.Groups[1].Value, program => program.Groups[2].Value);

    /// <summary>What the README quotes of an output: the text in backticks that begins so.</summary>
    public static string Quoted(string begin) => Regex.Match(Read(Paths[0]), $"`({Regex.Escape(begin)}[^`]+)`").Groups[1].Value;

    public static string Read(string path) => File.ReadAllText(path).ReplaceLineEndings("\n");

    /// <summary>Asserts that a block, in whichever document it is, has this text. MINICNN_UPDATE_README=1 writes the text instead.</summary>
    public static void IsUpToDate(string name, string text)
    {
        string begin = $"<!-- {name}: begin -->\n", end = $"<!-- {name}: end -->";
        string path = Assert.Single(Paths, path => Read(path).Contains(begin, StringComparison.Ordinal));
        IsUpToDate(path, document =>
        {
            int from = document.IndexOf(begin, StringComparison.Ordinal) + begin.Length, to = document.IndexOf(end, from, StringComparison.Ordinal);
            return document[..from] + text + document[to..];
        });
    }

    /// <summary>Asserts that a correction changes nothing in a document. MINICNN_UPDATE_README=1 writes the corrected text instead.</summary>
    public static void IsUpToDate(string path, Func<string, string> correct)
    {
        lock (writing)                                                // tests run in parallel
        {
            string document = Read(path), corrected = correct(document);
            if (Environment.GetEnvironmentVariable("MINICNN_UPDATE_README") == "1")
                File.WriteAllText(path, corrected);
            else
                Assert.Equal(corrected, document);
        }
    }
}

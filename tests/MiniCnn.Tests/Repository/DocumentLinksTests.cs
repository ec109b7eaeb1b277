using System.Text.RegularExpressions;

namespace MiniCnn.Tests;

/// <summary>
/// A link from README.md or docs to a line of a file, [`Class.Method`](path#L12), points to a line that has the link's last identifier.
/// With MINICNN_UPDATE_README=1 the line numbers are corrected.
/// </summary>
[Collection(nameof(ReadmeTests))]                                     // tests write to one file
public sealed class DocumentLinksTests
{
    public static TheoryData<string> Documents =>
        [.. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md").Select(path => $"docs/{Path.GetFileName(path)}").Append("README.md")];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Links_point_to_the_lines_of_their_identifiers(string document)
    {
        string path = Path.Combine(Repository.Root, document), text = File.ReadAllText(path);
        List<string> stale = [];
        string corrected = Regex.Replace(text, @"\[([^\]\n]*)\]\(([^)#\n]+)#L(\d+)\)", link =>
        {
            (string name, string target, int line) = (link.Groups[1].Value, link.Groups[2].Value, int.Parse(link.Groups[3].Value));
            string[] lines = File.ReadAllLines(Path.Combine(Path.GetDirectoryName(path)!, target));
            Regex identifier = new($@"\b{Regex.Match(name, @"(\w+)\W*$").Groups[1].Value}\b");
            if (line <= lines.Length && identifier.IsMatch(lines[line - 1]))
                return link.Value;
            int found = Array.FindIndex(lines, at => !at.TrimStart().StartsWith("//", StringComparison.Ordinal) && identifier.IsMatch(at)) + 1;
            stale.Add($"{link.Value}: {(found == 0 ? "the identifier is not in the file" : $"it is on line {found}")}");
            return found == 0 ? link.Value : $"[{name}]({target}#L{found})";
        });
        if (Environment.GetEnvironmentVariable("MINICNN_UPDATE_README") == "1" && corrected != text)
            File.WriteAllText(path, corrected);
        else
            Assert.True(stale.Count == 0, $"{document} has stale links; MINICNN_UPDATE_README=1 corrects them:\n{string.Join('\n', stale)}");
    }
}

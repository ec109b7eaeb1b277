using System.Globalization;
using System.Text.RegularExpressions;

namespace MiniCnn.Tests;

/// <summary>
/// A link from README.md or docs to a line of a file, [`Class.Method`](path#L12), points to a line that declares the link's last identifier.
/// With MINICNN_UPDATE_README=1 the line numbers are corrected.
/// </summary>
[Collection(nameof(ReadmeTests))]                                     // tests write to one file
public sealed class DocumentLinksTests
{
    public static TheoryData<string> Documents =>
        [.. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md").Select(path => $"docs/{Path.GetFileName(path)}").Append("README.md")];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Links_point_to_the_lines_that_declare_their_identifiers(string document)
    {
        string path = Path.Combine(Repository.Root, document), text = File.ReadAllText(path);
        bool update = Environment.GetEnvironmentVariable("MINICNN_UPDATE_README") == "1";
        List<string> stale = [];
        string corrected = Regex.Replace(text, @"\[([^\]\n]*)\]\(([^)#:\n]+)#L(\d+)\)", link =>
        {
            (string name, string target) = (link.Groups[1].Value, link.Groups[2].Value);
            string[] lines = File.ReadAllLines(Path.Combine(Path.GetDirectoryName(path)!, target));
            string word = $@"\b{Regex.Match(name, @"(\w+)\W*$").Groups[1].Value}\b";
            // After a type or a keyword such as class; a call declares nothing. Where the file has no such line, any one that is no comment.
            int[] found = Find($@"(?<=[\w>?\]*] )(?<!\b(new|return|throw|is|case|in|using|namespace) ){word}");
            found = found.Length > 0 ? found : Find(word);
            if (found.Contains(int.Parse(link.Groups[3].Value, CultureInfo.InvariantCulture)))
                return link.Value;
            if (found.Length == 0 || !update)
                stale.Add($"{link.Value}: {(found.Length == 0 ? "it is not in the file" : $"it is on line {found[0]}")}");
            return found.Length == 0 ? link.Value : $"[{name}]({target}#L{found[0]})";

            int[] Find(string pattern) => [.. from at in lines.Index() where Regex.IsMatch(at.Item, $@"^(?!\s*//).*{pattern}") select at.Index + 1];
        });
        if (update && corrected != text)
            File.WriteAllText(path, corrected);
        Assert.True(stale.Count == 0, $"{document} has stale links; MINICNN_UPDATE_README=1 corrects the line numbers:\n{string.Join('\n', stale)}");
    }
}

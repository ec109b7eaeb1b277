using System.Globalization;
using System.Text.RegularExpressions;

namespace MiniCnn.Tests;

/// <summary>
/// A link to a line of a file, [`Class.Method`](path#L12), points to a line that declares the link's last identifier.
/// With MINICNN_UPDATE_README=1 the line numbers are corrected.
/// </summary>
public sealed class DocumentLinksTests
{
    [Fact]
    public void Links_point_to_the_lines_that_declare_their_identifiers()
    {
        foreach (string path in Documents.Paths)
            Documents.IsUpToDate(path, text => Regex.Replace(text, @"\[([^\]\n]*)\]\(([^)#:\n]+)#L(\d+)\)", link =>
            {
                (string name, string target) = (link.Groups[1].Value, link.Groups[2].Value);
                string[] lines = File.ReadAllLines(Path.Combine(Path.GetDirectoryName(path)!, target));
                string word = $@"\b{Regex.Match(name, @"(\w+)\W*$").Groups[1].Value}\b";
                // After a type or a keyword such as class; a call declares nothing. Where the file has no such line, any line that is not a comment.
                int[] found = Find($@"(?<=[\w>?\]*] )(?<!\b(new|return|throw|is|case|in|using|namespace) ){word}");
                found = found.Length > 0 ? found : Find(word);
                Assert.True(found.Length > 0, $"{link.Value} in {path}: the file does not contain the identifier");
                return found.Contains(int.Parse(link.Groups[3].Value, CultureInfo.InvariantCulture)) ? link.Value : $"[{name}]({target}#L{found[0]})";

                int[] Find(string pattern) => [.. from at in lines.Index() where Regex.IsMatch(at.Item, $@"^(?!\s*//).*{pattern}") select at.Index + 1];
            }));
    }
}

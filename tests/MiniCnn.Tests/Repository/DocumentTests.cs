using System.Text;
using System.Text.RegularExpressions;
using MiniCnn.Cases;

namespace MiniCnn.Tests;

/// <summary>The documents' tables of correctness, their links and their form. MINICNN_UPDATE_README=1 writes the tables.</summary>
public sealed class DocumentTests
{
    [Fact]
    public void The_tables_of_what_is_checked_are_up_to_date()
    {
        StringBuilder convolutions = new("| conv2d | cases | outputs and gradients | whole numbers equal bit for bit |\n|---|---:|---|---:|\n");
        Verdict[] all = [.. CaseTableTests.Verdicts.Value.Where(v => v.Case is Conv2dCase)];
        foreach (IGrouping<string, Verdict> kind in all.GroupBy(v => ((Conv2dCase)v.Case).Kind).Append(all.GroupBy(_ => "**all**").Single()))
            convolutions.Append($"| {kind.Key} | {kind.Count()} | {Agree([.. kind])} | {kind.Sum(v => v.ExactNumbers)} |\n");
        Documents.IsUpToDate("checked", convolutions.ToString());

        ILookup<bool, Verdict> inDouble = CaseTableTests.Verdicts.Value.Where(v => v.Holds).ToLookup(v => v.Ways.Any(way => way.IsDouble));
        Documents.IsUpToDate("witnesses", $"Cases that agree in float and in double: {Counts(inDouble[true])}.\n\nIn float only: {Counts(inDouble[false])}.\n");

        static string Agree(Verdict[] verdicts) => verdicts.Count(v => v.Holds) is var agree && agree == verdicts.Length ? "all agree" : $"{agree} agree";

        static string Counts(IEnumerable<Verdict> verdicts) => string.Join(", ", verdicts.GroupBy(v => v.Case.Subject).Select(of => $"{of.Key} {of.Count()}"));
    }

    [Fact]
    public void Every_measured_block_is_filled_and_every_linked_file_exists()
    {
        foreach (string path in Documents.Paths)
        {
            string document = Documents.Read(path);
            foreach (string block in document.Split(": begin -->\n")[1..])
                Assert.False(block.StartsWith("<!--", StringComparison.Ordinal), $"a block of {path} is empty; tests/scripts/readme_figures.py or a test writes it");
            foreach (Match link in Regex.Matches(document, @"\]\(([^)#:]+)(#[^)]*)?\)|src=""([^"":]+)"""))
            {
                string target = link.Groups[1].Value + link.Groups[3].Value;
                Assert.True(Path.Exists(Path.Combine(Path.GetDirectoryName(path)!, target)), $"{path} points to {target}, which does not exist");
            }
        }
    }

    [Fact]
    public void The_README_is_short_and_all_its_code_is_whole_programs()
    {
        string readme = Documents.Read(Documents.Paths[0]);
        Assert.InRange(readme.Split('\n').Length - 1, 1, 250);
        Assert.Equal(readme.Split("```csharp\n").Length, readme.Split("<!-- program: ").Length);
        Assert.All(Documents.Programs.Values, program => Assert.StartsWith("using ", program, StringComparison.Ordinal));
    }
}

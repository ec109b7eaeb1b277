using System.Text.RegularExpressions;

namespace MiniCnn.Tests;

/// <summary>The table of examples/README.md.</summary>
public sealed class ExamplesReadmeTests
{
    static readonly string folder = Path.Combine(Repository.Root, "examples"), text = File.ReadAllText(Path.Combine(folder, "README.md"));

    [Fact]
    public void Each_example_has_a_row_with_its_command_and_a_time()
    {
        string[] projects = Directory.GetFiles(folder, "*.csproj", SearchOption.AllDirectories), lines = text.Split('\n');
        string[] examples = [.. projects.Select(path => Path.GetFileNameWithoutExtension(path)).Order()];
        string[][] rows = [.. lines.Where(line => line.StartsWith("| [", StringComparison.Ordinal)).Select(line => line.Split('|', StringSplitOptions.TrimEntries))];
        Assert.NotEmpty(examples);
        Assert.Equal(examples, rows.Select(row => Regex.Match(row[1], @"^\[(\w+)\]").Groups[1].Value).Order());
        Assert.All(rows, row =>
        {
            string name = Regex.Match(row[1], @"\w+").Value;
            Assert.Equal($"[{name}]({name}/Program.cs)", row[1]);
            Assert.StartsWith($"`dotnet run -c Release --project examples/{name}", row[3], StringComparison.Ordinal);
            Assert.NotEqual("", row[4]);
        });
    }

    [Fact]
    public void Each_linked_file_exists()
    {
        string[] links = [.. Regex.Matches(text, @"\]\(([^)]+)\)|src=""([^""]+)""").Select(match => match.Groups[1].Value + match.Groups[2].Value)];
        Assert.InRange(links.Length, 15, 100);
        Assert.All(links, link => Assert.True(File.Exists(Path.Combine(folder, link)), link));
    }
}

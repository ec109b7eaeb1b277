using MiniCnn.Cases;
using MiniCnn.Judge;
using Spectre.Console;

namespace MiniCnn.Examples;

/// <summary>The table that this program prints: one row a subject, and what does not agree.</summary>
static class Report
{
    /// <summary>Asks TorchSharp and prints; returns the exit code: 0 when all agree, else 1.</summary>
    public static int Show(IEnumerable<Case> cases)
    {
        Console.WriteLine($"MiniCnn and a live {TorchJudge.Version}, on the same numbers");
        List<(Case Case, Verdict Verdict)> verdicts = [.. cases.Select(c => (c, Verdict.Of(c, TorchJudge.Of(c))))];
        Table table = new Table().Border(TableBorder.Simple).AddColumn("");
        foreach (string title in (string[])["cases", "in float", "in double", "equal to the bit"])
            table.AddColumn(new TableColumn(title).RightAligned());
        foreach (IGrouping<string, Verdict> group in verdicts.GroupBy(v => v.Case is Conv2dCase conv ? $"Conv2d, {conv.Kind}" : v.Case.Subject, v => v.Verdict))
            table.AddRow(Row(group.Key, [.. group]));
        table.AddEmptyRow().AddRow(Row("all", [.. verdicts.Select(v => v.Verdict)]));
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = 120;    // else 80
        AnsiConsole.Write(table);

        Console.WriteLine("In float, in double: the worst error as a share of what rounding may do. Equal to the bit: what must be, and is.");
        string[] faults = [.. verdicts.SelectMany(v => v.Verdict.Faults)];
        foreach (string fault in faults.Take(20))
            Console.WriteLine(fault);
        Console.WriteLine(faults.Length == 0 ? $"all {verdicts.Count} cases agree" : $"{verdicts.Count(v => v.Verdict.Faults.Any())} of {verdicts.Count} cases do not agree");
        return faults.Length == 0 ? 0 : 1;
    }

    static string[] Row(string name, List<Verdict> verdicts) =>
    [
        name, $"{verdicts.Count}", Worst(verdicts, isDouble: false), Worst(verdicts, isDouble: true),
        verdicts.Sum(v => v.ExactNumbers) is > 0 and int exact ? $"{exact}" : "–",
    ];

    static string Worst(List<Verdict> verdicts, bool isDouble)
    {
        double[] shares = [.. verdicts.SelectMany(v => v.Ways).Where(way => way.IsDouble == isDouble).SelectMany(way => way.Agreements).Select(a => a.WorstShare)];
        return shares.Length == 0 ? "–" : $"{shares.Max():0.00}";
    }
}

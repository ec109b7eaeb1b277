using MiniCnn.Cases;
using MiniCnn.Judge;
using Spectre.Console;

namespace MiniCnn.Examples;

/// <summary>The table of the comparison: one row for each kind of case, then the cases that differ.</summary>
static class Report
{
    const int MostFaults = 20;

    /// <summary>Runs the cases with TorchSharp and prints the table. Returns the exit code: 0 if all cases agree, otherwise 1.</summary>
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
            AnsiConsole.Profile.Width = 120;    // the default is 80
        AnsiConsole.Write(table);

        Console.WriteLine("In float, in double: the largest error divided by the rounding error bound. Equal to the bit: the numbers that must be and are.");
        string[] faults = [.. verdicts.SelectMany(v => v.Verdict.Faults)];
        foreach (string fault in faults.Take(MostFaults))
            Console.WriteLine(fault);
        int differing = verdicts.Count(v => v.Verdict.Faults.Any());
        Console.WriteLine(differing == 0 ? $"all {verdicts.Count} cases agree" : $"{differing} of {verdicts.Count} cases do not agree");
        return differing == 0 ? 0 : 1;
    }

    static string[] Row(string name, List<Verdict> verdicts) =>
    [
        name, $"{verdicts.Count}", Worst(verdicts, isDouble: false), Worst(verdicts, isDouble: true),
        verdicts.Sum(v => v.ExactNumbers) is > 0 and int exact ? $"{exact}" : "–",
    ];

    static string Worst(List<Verdict> verdicts, bool isDouble)
    {
        double[] shares =
        [
            .. from verdict in verdicts from way in verdict.Ways where way.IsDouble == isDouble from agreement in way.Agreements select agreement.WorstShare,
        ];
        return shares.Length == 0 ? "–" : $"{shares.Max():0.00}";
    }
}

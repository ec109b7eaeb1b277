using MiniCnn.Parity;
using Spectre.Console;

namespace MiniCnn.Examples;

/// <summary>How the two sides agree on a case, and how long each took where that was measured.</summary>
sealed record Comparison(Conv2dReport Report, TimeSpan OurTime = default, TimeSpan TheirTime = default);

/// <summary>The table that this program prints: one row a group of cases, and what it all comes to.</summary>
static class Report
{
    /// <summary>Prints, and returns the exit code: 0 when all agree, else 1.</summary>
    public static int Show(List<Comparison> cases)
    {
        bool timed = cases.Exists(c => c.TheirTime > TimeSpan.Zero);
        Table table = new Table().Border(TableBorder.Simple).AddColumn("conv2d");
        string[] titles = ["cases", "y", "dx", "dweight", "dbias", "integers equal"];
        foreach (string title in timed ? [.. titles, "MiniCnn ms", "TorchSharp ms"] : titles)
            table.AddColumn(new TableColumn(title).RightAligned());
        foreach (IGrouping<string, Comparison> group in cases.GroupBy(c => c.Report.Case.Group))
            table.AddRow(Row(group.Key, [.. group], timed));
        table.AddEmptyRow().AddRow(Row("all", cases, timed));
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = 120;    // else 80
        AnsiConsole.Write(table);

        Console.WriteLine("y, dx, dweight, dbias: the worst error as a share of what rounding may do, 2·k·ε·conv(|x|,|w|).");
        Console.WriteLine("Whole numbers must be equal to the bit.");
        List<Comparison> wrong = cases.Where(c => !c.Report.Holds).ToList();
        foreach (Comparison? c in wrong.Take(10))
            Console.WriteLine(c.Report);
        Console.WriteLine(wrong.Count == 0 ? $"all {cases.Count} cases agree" : $"{wrong.Count} of {cases.Count} cases do not agree");
        return wrong.Count == 0 ? 0 : 1;
    }

    static string[] Row(string name, List<Comparison> cases, bool timed)
    {
        string Worst(Func<Conv2dReport, Agreement> part) => $"{cases.Max(c => part(c.Report).WorstShare):0.00}";
        List<Agreement> integers = cases.Where(c => c.Report.Case.IsInteger).SelectMany(c => c.Report.Parts).Select(p => p.Agreement).ToList();
        string equal = integers.Count == 0 ? "–" : $"{integers.Sum(a => a.BitEqual)} of {integers.Sum(a => a.Elements)}";
        string[] row = [name, $"{cases.Count}", Worst(r => r.Y), Worst(r => r.Dx), Worst(r => r.Dweight), Worst(r => r.Dbias), equal];
        return timed
            ? [.. row, $"{cases.Sum(c => c.OurTime.TotalMilliseconds):0.00}", $"{cases.Sum(c => c.TheirTime.TotalMilliseconds):0.00}"]
            : row;
    }
}

using System.Runtime.InteropServices;
using Spectre.Console;

namespace MiniCnn.Benchmarks;

/// <summary>The tables that the comparison prints.</summary>
static class Report
{
    /// <summary>Description of the machine: “2 cores of Intel(R) Xeon(R) Processor, vectors of 16 floats”.</summary>
    public static string Machine
    {
        get
        {
            string name = RuntimeInformation.ProcessArchitecture.ToString();
            if (File.Exists("/proc/cpuinfo"))
                name = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[1] ?? name;
            return $"{Environment.ProcessorCount} cores of {name}, vectors of {Simd.Width} floats{(Tuned.HeldToAvx2 ? ", both sides limited to AVX2" : "")}";
        }
    }

    /// <summary>Prints the machine and the versions.</summary>
    public static void PrintHead(Peer? peer)
    {
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = 204;    // the default is 80
        Console.WriteLine($"machine: {Machine}");
        Console.WriteLine($"MiniCnn: {Workers.Count} threads, .NET {Environment.Version}");
        if (peer is null)
            return;
        Console.WriteLine($"peer:    {peer.Version}");
        Console.WriteLine($"         {Tuned.Text}");
    }

    /// <summary>Prints all figures and the goals.</summary>
    public static void Print(Comparison comparison, Peer? peer)
    {
        double peak = comparison.Peak.Median;
        Console.WriteLine($"FMA peak with {Workers.Count} threads, measured during the comparison: {comparison.Peak.GigaFlopsACore:F0} GFLOP/s per core");
        Table table = new Table().Border(TableBorder.Simple).AddColumn("work").AddColumn("pass");
        string[] peerTitles = peer is null ? [] : [$"{Peer.Name} µs", "min – max", "channels-last", "CPU µs", "ratio", "of CPU", "ONNX µs", "ratio"];
        foreach (string title in (string[])["MiniCnn µs", "min – max", "CPU µs", .. peerTitles, "% of peak"])
            table.AddColumn(new TableColumn(title).RightAligned());
        foreach (Figure f in comparison.Figures)
        {
            (Rounds nchw, Rounds nhwc) = (f.Peer(Layout.Nchw), f.Peer(Layout.Nhwc));
            string[] ours = [Number(f.Mini.Median), Range(f.Mini), Number(f.Mini.Cpu)];
            string[] theirs = peer is null
                ? []
                : [Number(nchw.Median), Range(nchw), Number(nhwc.Median), Number(f.Theirs.Cpu), Ratio(f.Ratio), Ratio(f.CpuRatio), Number(f.Peer(Layout.Onnx).Median), Ratio(f.OnnxRatio)];
            table.AddRow([f.Name, f.Unit == "us" ? f.Pass : $"{f.Pass}, MB", .. ours, .. theirs, Number(f.PercentOfPeak(peak))]);
        }
        AnsiConsole.Write(table);
        Console.WriteLine("Times are medians over rounds; the time of a round is the median over calls. min and max: the fastest and the slowest round.");
        Console.WriteLine("CPU: processor time of a call on all threads, including threads that spin while they wait.");
        Console.Write(comparison.Bystanders.Text);
        if (peer is null)
            return;

        Console.WriteLine($"ratio: time of {Peer.Name} / time of MiniCnn, with NCHW, for whole networks with the faster of NCHW and channels-last;");
        Console.WriteLine("of CPU: the same for processor times. ONNX: ONNX Runtime, which is not measured with --isa avx2.");
        Table goals = new Table().Border(TableBorder.Simple).AddColumn("class").AddColumn("pass").AddColumn("ratio").AddColumn("required");
        goals.AddColumn(new TableColumn("worst % of peak").RightAligned()).AddColumn("");
        Goal[] all = [.. Goal.Of(comparison.Figures, peak)];
        foreach (Goal g in all)
            goals.AddRow(g.What, g.Pass, g.Value, g.Required, Number(g.WorstPercentOfPeak), g.Reached ? "reached" : "not reached");
        AnsiConsole.Write(goals);
        Console.WriteLine($"The ratio of a class is a geometric mean. The goal is also reached if every shape runs at {Goal.NearPeak} % of the FMA peak.");
        Console.WriteLine($"{all.Count(g => g.Reached)} of {all.Length} goals for {ConvClass.Isa} reached.");
    }

    static string Range(Rounds rounds) => rounds.Any ? $"{Number(rounds.Least)} – {Number(rounds.Most)}" : "";

    static string Ratio(double value) => double.IsNaN(value) ? "" : $"{value:F2}";

    public static string Number(double value) => double.IsNaN(value) ? "" : value < 100 ? $"{value:F1}" : $"{value:F0}";
}

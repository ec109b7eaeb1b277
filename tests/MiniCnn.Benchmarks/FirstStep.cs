using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace MiniCnn.Benchmarks;

/// <summary>From the start of a process to the end of a net's first training step, and the most memory that it took.</summary>
static class FirstStep
{
    public const string Time = "start to first step", Memory = "peak memory";

    /// <summary>What the process does: a training step, then a line with its processor time and peak memory.</summary>
    public static int Run(string side, string name)
    {
        Net net = Net.All.Single(net => net.Name == name);
        if (side == Peer.Name)
            TorchWorks.TrainOneStep(net);
        else
            net.Pass(Net.TrainingStep, net.Batch).Run();
        double cpu = Environment.CpuUsage.TotalTime.TotalMicroseconds;
        using Process self = Process.GetCurrentProcess();
        double bytes = Math.Max(self.PeakWorkingSet64, Environment.WorkingSet);        // not every system tells the peak
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $$"""{"cpu_us":{{cpu}},"mb":{{bytes / 1048576}}}"""));
        return 0;
    }

    /// <summary>The time of LeNet-5, and each net's memory.</summary>
    public static IReadOnlyList<Figure> Figures { get; } =
    [
        new(Net.LeNet5.Name, Time, Layout.Nchw),
        .. Net.All.Select(net => new Figure(net.Name, Memory, Layout.Nchw) { Unit = "mb" }),
    ];

    /// <summary>Runs such a process: the time until its line came, and MB.</summary>
    public static (Times Times, double Memory) Measure(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        long from = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start)!;
        string line = process.StandardOutput.ReadLine() ?? throw new IOException($"{start.FileName} ended before its first step");
        double time = Stopwatch.GetElapsedTime(from).TotalMicroseconds;
        process.WaitForExit();
        JsonElement told = JsonSerializer.Deserialize<JsonElement>(line);
        return (new(time, told.GetProperty("cpu_us").GetDouble()), told.GetProperty("mb").GetDouble());
    }
}

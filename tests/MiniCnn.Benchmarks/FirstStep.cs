using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace MiniCnn.Benchmarks;

/// <summary>Measures the time from process start to the end of a network's first training step, and the peak memory of the process.</summary>
static class FirstStep
{
    public const string Time = "start to first step", Memory = "peak memory";

    /// <summary>Runs in the measured process: a training step, then prints a line with processor time and peak memory.</summary>
    public static int Run(string side, string name)
    {
        Net net = Net.All.Single(net => net.Name == name);
        if (side == Peer.Name)
            TorchWorks.TrainOneStep(net);
        else
            net.Pass(Net.TrainingStep, net.Batch).Run();
        double cpu = Environment.CpuUsage.TotalTime.TotalMicroseconds;
        using Process self = Process.GetCurrentProcess();
        double bytes = Math.Max(self.PeakWorkingSet64, Environment.WorkingSet);        // some systems do not report the peak
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $$"""{"cpu_us":{{cpu}},"mb":{{bytes / 1048576}}}"""));
        return 0;
    }

    /// <summary>Returns the figures: the time for LeNet-5, and the memory for each network.</summary>
    public static IReadOnlyList<Figure> Figures { get; } =
    [
        new(Net.LeNet5.Name, Time, Layout.Nchw),
        .. Net.All.Select(net => new Figure(net.Name, Memory, Layout.Nchw) { Unit = "mb" }),
    ];

    /// <summary>Runs such a process. Returns the time until its line arrives, and the memory in MB.</summary>
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

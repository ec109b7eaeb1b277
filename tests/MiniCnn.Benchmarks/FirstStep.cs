using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace MiniCnn.Benchmarks;

/// <summary>From the start of a process to the end of LeNet-5's first training step, and the most memory that it took.</summary>
static class FirstStep
{
    public const string Time = "start to first step", Memory = "peak memory";

    /// <summary>What the process does: a training step, then a line with its processor time and peak memory.</summary>
    public static int Run(string side)
    {
        if (side == Peer.Name)
            TorchWorks.TrainOneStep();
        else
            Net.LeNet5.Pass(Net.TrainingStep, Net.LeNet5.Batch).Run();
        double cpu = Environment.CpuUsage.TotalTime.TotalMicroseconds;
        using Process self = Process.GetCurrentProcess();
        double bytes = Math.Max(self.PeakWorkingSet64, Environment.WorkingSet);        // not every system tells the peak
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $$"""{"cpu_us":{{cpu}},"mb":{{bytes / 1048576}}}"""));
        return 0;
    }

    /// <summary>The two figures.</summary>
    public static IReadOnlyList<Figure> Figures { get; } =
    [
        new(Net.LeNet5.Name, Time, Layout.Nchw),
        new(Net.LeNet5.Name, Memory, Layout.Nchw) { Unit = "mb" },
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

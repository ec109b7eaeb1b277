using System.Diagnostics;

namespace MiniCnn.Benchmarks;

/// <summary>Who MiniCnn is compared with.</summary>
interface IPeer : IDisposable
{
    /// <summary>“PyTorch”.</summary>
    string Name { get; }

    /// <summary>“PyTorch 2.1.0, oneDNN 3.1.1, libopenblas.so.0, 2 threads”.</summary>
    string Version { get; }

    /// <summary>The environment it runs in, or what is missing there.</summary>
    string Environment { get; }

    /// <summary>What it took of the processors outside this process.</summary>
    TimeSpan ProcessorTime { get; }

    /// <summary>The median time of a call in µs, as <see cref="Measure.Time"/> finds it.</summary>
    double Time(PeerWork work, Layout layout, Effort effort);

    /// <summary>Returns when its threads sleep.</summary>
    void Rest();

    /// <summary>A process that trains one step from nothing, and writes a line when it has.</summary>
    ProcessStartInfo FirstStep();
}

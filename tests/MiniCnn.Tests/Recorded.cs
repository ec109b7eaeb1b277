using System.Collections.Concurrent;
using MiniCnn.Parity;

namespace MiniCnn.Tests;

/// <summary>
/// The table of cases and what TorchSharp computed for it. Tests say here what passed, and the line that dotnet test shows at the end says it.
/// </summary>
public sealed class Recorded : IDisposable
{
    readonly ConcurrentBag<string> passed = [], said = [];

    public Recorded() => Recording = Recording.Read(Recording.DefaultPath, Table);

    public CaseTable Table { get; } = CaseTable.Read(CaseTable.DefaultPath);

    public Recording Recording { get; }

    public void Passed(string what) => passed.Add(what);

    /// <summary>A line of its own for that place.</summary>
    public void Says(string line) => said.Add(line);

#if TORCHSHARP
    const string LiveOne = "";    // MiniCnn.TorchSharp.Tests says what that one was asked
#else
    const string LiveOne = "A live TorchSharp is asked by: dotnet test -c Release -p:TorchSharp=true\n";
#endif

    public void Dispose() => File.WriteAllText(
        Path.Combine(AppContext.BaseDirectory, "checked.txt"),
        $"Checked against results recorded from {Recording.RecordedWith}: "
        + string.Join(", ", passed.Order().OrderByDescending(p => p.Contains("conv2d", StringComparison.Ordinal)))
        + ".\n" + string.Concat(said.Select(line => line + "\n")) + LiveOne);
}

[CollectionDefinition(nameof(Recorded))]
public sealed class SharesRecorded : ICollectionFixture<Recorded>;

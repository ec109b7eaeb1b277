namespace MiniCnn.Tests;

/// <summary>Keeps the progress reports of a download, and calls <see cref="Then"/> with the file of each.</summary>
sealed class DownloadReports : List<(string File, long Received, long Total)>, IProgress<(string File, long Received, long Total)>
{
    public Action<string> Then { get; init; } = _ => { };

    public void Report((string File, long Received, long Total) value)
    {
        Add(value);
        Then(value.File);
    }
}

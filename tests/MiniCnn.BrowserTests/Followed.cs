using MiniCnn.Reports;

namespace MiniCnn.BrowserTests;

/// <summary>A report, and what to do when it has been told of a step.</summary>
sealed class Followed(RunReport report, Action<TrainingStep> then) : IProgress<TrainingStep>, IProgress<TrainingResult>, IProgress<Exception>
{
    public void Report(TrainingStep value)
    {
        report.Report(value);
        then(value);
    }

    public void Report(TrainingResult value) => report.Report(value);

    public void Report(Exception value) => report.Report(value);
}

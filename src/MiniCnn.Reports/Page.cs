using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Xml.Linq;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Reports;

/// <summary>The page of a run, from top to bottom. <see cref="NetworkSections"/> and <see cref="ImageSections"/> draw the pictures.</summary>
sealed class Page(RunReport run)
{
    const int MostBytes = 1_950_000;                             // below 2 MB, including style and script
    const int MostRows = 500;                                    // of the table of epochs; also the points of a line

    readonly float[] rates = [.. run.Trainer.Optimizers.Select(optimizer => optimizer.LearningRate)];     // before a schedule changes them
    readonly NetworkSections network = new(run);
    readonly ImageSections images = new(run);

    /// <summary>The text of the HTML file.</summary>
    public string Write()
    {
        bool isOver = run.IsOver;
        XElement body = H(
            "main", Head(), Charts(), Section("epochs", "Epochs", EpochTable),
            run.Sets.Count == 0 && run.Validation is var (scores, epoch)
                ? Section("validation", "Validation images", () => [H("p", $"After epoch {epoch + 1}."), .. ScoreTables.Of(scores)]) : null,
            run.Sets.Select(images.Scores), images.Data(), network.Kernels(), network.Maps(), Section("run", "The run", Settings));
        string text = Fitting(body);
        // The page is reloaded after a third of an epoch, but not before 2 s and not after more than 20 s.
        double again = Math.Clamp(run.Times.LastOrDefault()?.TotalSeconds / 3 ?? 2, 2, 20);
        string refresh = isOver ? "" : FormattableString.Invariant($"<noscript><meta http-equiv=\"refresh\" content=\"{again:F0}\"></noscript>");
        string attributes = FormattableString.Invariant($" data-written=\"{run.Now.ToUnixTimeMilliseconds()}\" data-again=\"{(isOver ? 0 : again):F0}\"");
        return HtmlPage.Write($"{Short()} · {run.Title}", text, refresh: refresh, attributes: attributes);
    }

    /// <summary>A section with a heading. If its content throws, as it can for unusual networks, the section shows the error message instead.</summary>
    public static XElement? Section(string id, string title, Func<IEnumerable<object?>> make)
    {
        object?[] content;
        try
        {
            content = [.. make()];
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            content = [H("p.note", $"This section could not be drawn: {e.Message}")];
        }
        return content.All(part => part is null) ? null : H("section", A("id", id), H("h2", title), content);
    }

    string Short() => run.Failure is not null ? "failed" : run.Result is not null ? "done" : run.Last is { } last ? $"epoch {last.Epoch + 1}/{last.Epochs}" : "not started";

    IEnumerable<XElement?> Head()
    {
        yield return H("h1", run.Title);
        yield return H("p.state", A("role", "status"), State(), " ", H("span.written", $"Written {run.Now.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}."));
        if (run.Result is null && run.Note is string note)       // the text of a result contains the note
            yield return H("p", note);
        List<(string Name, string Value)> cards = [];
        if (run.Epochs.Count > 0)
        {
            // The epoch of the current model.
            TrainingEpoch now = run.Trainer.KeepBest && run.Result?.BestEpoch is int best ? run.Epochs[best] : run.Epochs[^1];
            cards.AddRange([("training loss", N(now.Loss)), ("training accuracy", P(now.Accuracy))]);
            if (now.ValidationLoss is double loss)
                cards.AddRange([("validation loss", N(loss)), ("validation accuracy", P(now.ValidationAccuracy!.Value))]);
            if (now.Monitored is double value && run.Trainer.Monitor != Metric.Loss && run.Trainer.Monitor != Metric.Accuracy)
                cards.Add(($"{run.Trainer.Monitor}", N(value)));
        }
        cards.AddRange(run.Sets.Where(set => set.Images != run.Trainer.Validation).Select(set => ($"{set.Name} accuracy", P(set.Evaluation.Accuracy))));
        cards.Add((run.IsOver ? "time" : "time so far", ConsoleProgress.Text(run.Elapsed)));
        yield return H("dl.cards", cards.Select(card => H("div", H("dt", card.Name), H("dd", card.Value))));
    }

    string State()
    {
        if (run.Result is TrainingResult result)
            return $"{char.ToUpperInvariant($"{result}"[0])}{$"{result}"[1..]}.";
        if (run.Last is not TrainingStep last)
            return run.Failure is null ? "The run has not started." : $"Ended before the first step was done: {run.Failure}.";
        if (run.Failure is not null)
            return $"Ended in epoch {last.Epoch + 1} of {last.Epochs}, after step {last.Step} of {last.Steps}: {run.Failure}.";
        TimeSpan left = run.Elapsed / Math.Max(last.Step - run.Before - 1, 1) * (last.Steps - last.Step);
        string best = last.BestEpoch is int epoch && run.Epochs[epoch].Monitored is double value
            ? FormattableString.Invariant($"; the best so far is epoch {epoch + 1}, {last.Monitor} {value:F4}") : "";
        return $"Epoch {last.Epoch + 1} of {last.Epochs}, step {last.Step} of {last.Steps}; {ConsoleProgress.Text(left)} left{best}.";
    }

    XElement? Charts() => Section("curves", "Training curves", () =>
    {
        double[] at = [.. Enumerable.Range(1, run.Epochs.Count).Select(epoch => (double)epoch)];
        int? best = run.BestEpoch + 1;
        LineSeries Each(string name, Func<TrainingEpoch, double?> value) => Thin(new(name, [.. run.Epochs.Select(epoch => value(epoch) ?? double.NaN)]) { X = at });
        // For the epochs before a checkpoint, only the values per epoch are known.
        int before = run.Times.TakeWhile(time => time is null).Count();
        LineSeries Fine(string name, Func<TrainingEpoch, double> whole, Func<(double Epoch, double Loss, double Rate), double> point) => Thin(new(
            name, [.. run.Epochs.Take(before).Select(whole), .. run.Points.Select(point)])
        { X = [.. at.Take(before), .. run.Points.Select(p => p.Epoch)] });
        Metric monitor = run.Trainer.Monitor;
        XElement?[] charts =
        [
            Chart.Draw("Loss", "", [Fine("training", epoch => epoch.Loss, point => point.Loss), Each("validation", epoch => epoch.ValidationLoss)], best),
            Chart.Draw("Accuracy", "%", [Each("training", epoch => 100 * epoch.Accuracy), Each("validation", epoch => 100 * epoch.ValidationAccuracy)], best),
            monitor == Metric.Loss || monitor == Metric.Accuracy ? null
                : Chart.Draw($"{char.ToUpperInvariant(monitor.Name[0])}{monitor.Name[1..]}", "", [Each("validation", epoch => epoch.Monitored)], best),
            Chart.Draw("Learning rate", "", [Fine("learning rate", epoch => epoch.LearningRate, point => point.Rate)]),
            Chart.Draw("Time per epoch", "s", [Thin(new("time", [.. run.Times.Select(time => time?.TotalSeconds ?? double.NaN)]) { X = at })]),
        ];
        return charts.All(chart => chart is null) ? [H("p", "The curves appear after the first steps.")] : [H("div.charts", charts)];
    });

    /// <summary>At most about <see cref="MostRows"/> equally spaced points of a line, and the last one.</summary>
    static LineSeries Thin(LineSeries line)
    {
        int step = (line.Y.Length + MostRows - 1) / MostRows;
        int[] kept = [.. Enumerable.Range(0, line.Y.Length).Where(i => i % step == 0 || i == line.Y.Length - 1)];
        return new(line.Name, [.. kept.Select(i => line.Y[i])]) { X = [.. kept.Select(i => line.X![i])] };
    }

    IEnumerable<object?> EpochTable()
    {
        if (run.Epochs.Count == 0)
            return [];
        bool validated = run.Epochs.Any(epoch => epoch.ValidationLoss is not null), other = run.Trainer.Monitor != Metric.Loss && run.Trainer.Monitor != Metric.Accuracy;
        int step = (run.Epochs.Count + MostRows - 1) / MostRows;
        string[] titles = ["epoch", "loss", "accuracy", .. validated ? ["validation loss", "validation accuracy"] : Array.Empty<string>(),
            .. validated && other ? [$"{run.Trainer.Monitor}"] : Array.Empty<string>(), "learning rate", "time"];
        IEnumerable<string[]> rows = Enumerable.Range(0, run.Epochs.Count).Where(i => i % step == 0 || i == run.Epochs.Count - 1 || i == run.BestEpoch).Select(i =>
        {
            TrainingEpoch epoch = run.Epochs[i];
            string[] validation = [N(epoch.ValidationLoss), P(epoch.ValidationAccuracy)], monitored = [N(epoch.Monitored)];
            return (string[])[$"{i + 1}{(run.BestEpoch == i ? " (best)" : "")}", N(epoch.Loss), P(epoch.Accuracy), .. validated ? validation : [],
                .. validated && other ? monitored : [], FormattableString.Invariant($"{epoch.LearningRate:G3}"),
                run.Times[i] is TimeSpan time ? FormattableString.Invariant($"{time.TotalSeconds:F1} s") : "–"];
        });
        string all = step == 1 ? "All epochs" : $"One in {step} epochs; the CSV file next to this page has all epochs";
        return [H("details", run.Epochs.Count <= 12 ? A("open", "") : null, H("summary", all), Table(all, titles, rows))];
    }

    IEnumerable<object?> Settings()
    {
        Trainer trainer = run.Trainer;
        ImageDataset train = run.Train;
        List<(string Name, string? Value)> rows =
        [
            ("training images", $"{train.Count} of {train.Shape}, {train.Classes} classes"),
            ("validation images", trainer.Validation is null ? null : $"{trainer.Validation.Count}"),
            ("mean and std", string.Join("; ", $"{Numbers(train.Mean)}", $"{Numbers(train.Std)}")),
            ("epochs", $"{trainer.Epochs}"),
            ("batch size", $"{trainer.BatchSize}{(trainer.AccumulateGradBatches > 1 ? $", {trainer.AccumulateGradBatches} batches per step" : "")}"
                + (trainer.DropLast ? ", the last incomplete batch is dropped" : "")),
            .. trainer.Optimizers.Select((optimizer, i) => (trainer.Optimizers.Count == 1 ? "optimizer" : $"optimizer {i + 1}", (string?)(
                $"{optimizer.GetType().Name}, {string.Join(", ", optimizer.Settings.Prepend(("learning rate", rates[i])).Select(s => FormattableString.Invariant($"{s.Item1} {(float)s.Item2}")))}"))),
            ("learning rate schedule", trainer.Schedule is null ? null : "a factor for each step; see the chart"),
            ("loss", $"{trainer.Loss}"),
            ("augmentation", trainer.Augmentation is null ? null : $"{trainer.Augmentation}"),
            ("monitor", trainer.Validation is null ? null : $"{trainer.Monitor}{(trainer.KeepBest ? "; the model of the best epoch is kept" : "")}"),
            ("patience", trainer.Patience is null ? null : $"{trainer.Patience} epochs"),
            ("reduce on plateau", trainer.ReduceOnPlateau is null ? null : $"{trainer.ReduceOnPlateau}"),
            ("maximum gradient norm", trainer.ClipNorm is null ? null : FormattableString.Invariant($"{trainer.ClipNorm}")),
            ("seed", $"{trainer.Seed}"),
            ("command", string.Join(' ', Environment.GetCommandLineArgs())),
            ("versions", $"MiniCnn {Version(typeof(Trainer))}, .NET {Environment.Version}, {RuntimeInformation.OSDescription}"),
            ("machine", $"{RuntimeInformation.ProcessArchitecture}, {Workers.Count} threads, SIMD vectors of {Simd.Width} floats"),
            ("time of this report", !run.IsOver ? null : FormattableString.Invariant($"{100 * run.Spent / Max(run.Elapsed):F1} % of the run")),
        ];
        return
        [
            Table("Settings", ["setting", "value"], rows.Where(row => row.Value is not null).Select(row => new object?[] { row.Name, row.Value })),
            H("h3", "The network"), H("pre", A("tabindex", 0), trainer.Model.Summary(train.Shape)),
        ];

        static TimeSpan Max(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.FromTicks(1);

        static string Numbers(ReadOnlySpan<float> values) => string.Join(", ", values.ToArray().Select(value => value.ToString("F4", CultureInfo.InvariantCulture)));

        static string Version(Type type) => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "?";
    }

    /// <summary>The text of the page. If it is too long, the pictures are removed from the sections with the largest pictures.</summary>
    static string Fitting(XElement body)
    {
        string text = Html.Write(body);
        while (Encoding.UTF8.GetByteCount(text) > MostBytes - HtmlPage.Length)
        {
            XElement? largest = body.Elements("section").MaxBy(section => section.Descendants("img").Sum(Length));
            if (largest is null || !largest.Descendants("img").Any())
                break;
            largest.Descendants("img").ToList().ForEach(image => image.Remove());
            largest.Element("h2")!.AddAfterSelf(H("p.note", "The pictures of this section are omitted to keep the page below 2 MB."));
            text = Html.Write(body);
        }
        return text;

        static int Length(XElement image) => image.Attribute("src")!.Value.Length;
    }

    internal static string N(double? number) => number is double value ? FormattableString.Invariant($"{value:F4}") : "–";

    internal static string P(double? share) => share is double value && !double.IsNaN(value) ? FormattableString.Invariant($"{100 * value:F2} %") : "–";
}

using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace MiniCnn.Benchmarks;

/// <summary>The command line.</summary>
static class CompareCommand
{
    static readonly Option<string> python = new("--python") { Description = "A Python that has PyTorch", DefaultValueFactory = _ => "python3" };
    static readonly Option<string?> json = new("--json") { Description = "Write the figures to this file too" };
    static readonly Option<string[]> only = new("--only") { Description = "Figures with this in their name or pass; may be given several times" };
    static readonly Option<bool> quick = new("--quick") { Description = "Fewer and shorter rounds" };
    static readonly Option<int> threads = new("--threads") { Description = "Threads on both sides", DefaultValueFactory = _ => Workers.Count };
    static readonly Option<bool> readme = new("--readme") { Description = "Write README.md's tables; takes all figures and a peer" };

    public static int Run(string[] args)
    {
        Console.OutputEncoding = Encoding.UTF8;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        Command compare = new("compare", "Measures MiniCnn and libtorch in turn, on the same work and threads.") { python, json, only, quick, threads, readme };
        compare.SetAction(Compare);
        RootCommand root = new("MiniCnn's benchmarks.") { compare };
        ParseResult options = root.Parse(args);
        if (options.Errors.Count > 0 || options.CommandResult.Command == compare && options.GetValue(threads) < 1)
        {
            Console.Error.WriteLine($"{(options.Errors.Count > 0 ? options.Errors[0].Message : "--threads must be at least 1")} (--help lists the options)");
            return 2;
        }
        try
        {
            return options.Invoke(new() { EnableDefaultExceptionHandler = false });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    static int Compare(ParseResult options)
    {
        using CancellationTokenSource stop = new();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        void Stop(PosixSignalContext context)
        {
            context.Cancel = !stop.IsCancellationRequested;      // a second one ends the program at once
            stop.Cancel();
        }

        Workers.Count = options.GetValue(threads);
        if (options.GetValue(readme) && options.GetValue(only) is { Length: > 0 })
            throw new IOException("--readme takes all figures: no --only");
        IReadOnlyList<Group> groups = Select(options.GetValue(only) ?? []);
        if (groups.Count == 0)
            throw new IOException("--only: no figure has that in its name or pass");
        try
        {
            using IPeer? peer = FindPeer(options.GetValue(python)!, stop.Token);
            Comparison comparison = new(groups, peer, options.GetValue(quick) ? Effort.Quick : Effort.Full, stop.Token);
            Report.PrintHead(peer);
            Progress.Show(groups.Count, comparison.Run);
            Report.Print(comparison, peer);
            if (options.GetValue(json) is string path)
                JsonFile.Write(path, comparison);
            if (options.GetValue(readme))
                ReadmeTable.Write(comparison, peer ?? throw new IOException("--readme: there is no peer; README.md stays as it is"));
            return 0;
        }
        catch (Exception e) when (stop.IsCancellationRequested && e is (OperationCanceledException or IOException))
        {
            Console.Error.WriteLine("stopped");
            return 130;
        }
    }

    static IReadOnlyList<Group> Select(string[] texts)
    {
        IEnumerable<Group> all = ConvClass.All.SelectMany(c => c.Shapes).Select(ConvWork.Group).Concat(Net.All.Select(net => net.Group()))
            .Append(new(FirstStep.Time, FirstStep.Figures, null));
        bool Wanted(Figure figure) => texts.Length == 0 || texts.Any(text => $"{figure.Name} {figure.Pass}".Contains(text, StringComparison.OrdinalIgnoreCase));
        return [.. all.Select(group => group with { Figures = [.. group.Figures.Where(Wanted)] }).Where(group => group.Figures.Count > 0)];
    }

#pragma warning disable CA1859 // the type that is returned hangs on how this is compiled
    static IPeer? FindPeer(string python, CancellationToken cancel)
    {
        try
        {
#if TORCHSHARP
            return new TorchSharpPeer();
#else
            return new PyTorchPeer(python, cancel);
#endif
        }
        catch (IOException e) when (!cancel.IsCancellationRequested)
        {
            Console.WriteLine($"no peer: {e.Message}; MiniCnn's figures alone (--python PATH names a Python that has PyTorch)");
            return null;
        }
        catch (TypeInitializationException e)
        {
            Console.WriteLine($"no peer: TorchSharp does not load: {e.InnerException?.Message.Split('\n')[0]}; MiniCnn's figures alone");
            return null;
        }
    }
}

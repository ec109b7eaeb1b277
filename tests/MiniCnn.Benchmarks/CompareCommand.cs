using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace MiniCnn.Benchmarks;

/// <summary>The command line.</summary>
static class CompareCommand
{
    static readonly Option<string?> json = new("--json") { Description = "Also write the figures to this JSON file" };
    static readonly Option<string[]> only = new("--only") { Description = "Measure only figures with this text in their name or pass; can be repeated" };
    static readonly Option<bool> quick = new("--quick") { Description = "Measure fewer and shorter rounds" };
    static readonly Option<int> threads = new("--threads") { Description = "Number of threads on both sides", DefaultValueFactory = _ => Workers.Count };
    static readonly Option<string> isa = new Option<string>("--isa") { Description = "Limit both sides to these instructions" }.AcceptOnlyFromAmong("avx2");
    static readonly Option<bool> alone = new("--no-peer") { Description = "Measure only MiniCnn" };
    static readonly Option<bool> scale = new("--scale") { Description = "Measure MiniCnn's time per image by batch size instead, with 1 thread and all" };
    static readonly Option<string?> chart = new("--chart") { Description = "Draw the results of --scale as a chart, to this PNG file" };
    static readonly Option<bool> readme = new("--readme") { Description = "Write README.md's tables of this vector width; needs all figures and TorchSharp" };

    public static int Run(string[] args)
    {
        Console.OutputEncoding = Encoding.UTF8;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        Command compare = new("compare", "Measures MiniCnn and TorchSharp alternately, with the same work and number of threads.")
        {
            json, only, quick, threads, isa, alone, scale, chart, readme,
        };
        compare.SetAction(Compare);
        Command errors = new("errors", "Measures the rounding errors of MiniCnn and TorchSharp against double precision.");
        errors.SetAction(_ => Errors.Run());
        RootCommand root = new("Benchmarks of MiniCnn.") { compare, errors };
        ParseResult options = root.Parse(args);
        if (options.Errors.Count > 0 || options.CommandResult.Command == compare && options.GetValue(threads) < 1)
        {
            string fault = options.Errors.Count > 0 ? options.Errors[0].Message.ReplaceLineEndings("") : "--threads must be at least 1";
            Console.Error.WriteLine($"{fault} (--help lists the options)");
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
        if (options.GetValue(readme) && (options.GetValue(alone) || options.GetValue(only) is { Length: > 0 }))
            throw new IOException("--readme needs all figures and TorchSharp; remove --only and --no-peer");
        if (options.GetValue(scale) && (options.GetValue(readme) || options.GetValue(json) is not null))
            throw new IOException("--scale cannot be combined with --readme or --json");
        if (options.GetValue(chart) is string png && !(options.GetValue(scale) && png.EndsWith(".png", StringComparison.OrdinalIgnoreCase)))
            throw new IOException("--chart needs --scale and a file name that ends in .png");
        if (options.GetValue(isa) is not null && !Tuned.HeldToAvx2)
            return CompareHeldToAvx2();

        using CancellationTokenSource stop = new();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        void Stop(PosixSignalContext context)
        {
            context.Cancel = !stop.IsCancellationRequested;      // a second signal ends the program immediately
            stop.Cancel();
        }

        Workers.Count = options.GetValue(threads);
        bool Wanted(string text) => options.GetValue(only) is not { Length: > 0 } texts || texts.Any(t => text.Contains(t, StringComparison.OrdinalIgnoreCase));
        try
        {
            if (options.GetValue(scale))
                MeasureScale(options, Wanted, stop.Token);
            else
                MeasureBoth(options, Wanted, stop.Token);
            return 0;
        }
        catch (Exception e) when (stop.IsCancellationRequested && e is (OperationCanceledException or IOException))
        {
            Console.Error.WriteLine("stopped");
            return 130;
        }
    }

    static void MeasureBoth(ParseResult options, Func<string, bool> wanted, CancellationToken cancel)
    {
        IEnumerable<Group> all = ConvClass.All.SelectMany(c => c.Shapes).Select(ConvWork.Group).Concat(Net.All.Select(net => net.Group()))
            .Append(new(FirstStep.Time, FirstStep.Figures, null));
        Group[] groups = [.. all
            .Select(group => group with { Figures = [.. group.Figures.Where(figure => wanted($"{figure.Name} {figure.Pass}"))] })
            .Where(group => group.Figures.Count > 0)];
        Check(groups.Length);
        using Peer? peer = options.GetValue(alone) ? null : new(cancel);
        Comparison comparison = new(groups, peer, options.GetValue(quick) ? Effort.Quick : Effort.Full, cancel);
        Report.PrintHead(peer);
        Progress.Show(groups.Length, comparison.Run);
        Report.Print(comparison, peer);
        if (options.GetValue(json) is string path)
            JsonFile.Write(path, comparison);
        if (options.GetValue(readme))
            ReadmeTable.Write(comparison, peer!);
    }

    static void MeasureScale(ParseResult options, Func<string, bool> wanted, CancellationToken cancel)
    {
        Scale measured = new(options.GetValue(quick), wanted, cancel);
        Check(measured.Steps);
        Report.PrintHead(null);
        Progress.Show(measured.Steps, measured.Run);
        measured.Print();
        if (options.GetValue(chart) is string path)
            measured.Draw(path);
    }

    static void Check(int figures)
    {
        if (figures == 0)
            throw new IOException("--only: no figure has this text in its name or pass");
    }

    /// <summary>Starts this program again with AVX2, because .NET and libtorch select their instructions from the environment at process start.</summary>
    static int CompareHeldToAvx2()
    {
        if (!Avx2.IsSupported)
            throw new IOException($"--isa avx2: this machine, {Report.Machine}, has no AVX2");
        ProcessStartInfo start = ThisProgram.With(Environment.GetCommandLineArgs()[1..]);
        start.Environment[Tuned.Avx512] = "0";
        using Process process = Process.Start(start)!;
        // Ctrl-C in a terminal reaches both processes. The exit code is that of the started process.
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => process.Kill());
        process.WaitForExit();
        return process.ExitCode;
    }
}

// Does MiniCnn compute what TorchSharp computes? All layers, losses, optimizers, schedules, first weights and whole nets, on the same numbers.
// And where does a net that was ported from TorchSharp differ?
//
//   dotnet run -c Release --project examples/CompareWithTorchSharp                      the table, then a net ported with a mistake, which is named
//   dotnet run -c Release --project examples/CompareWithTorchSharp -- --only Conv2d     of the table, what has this in its name
//   dotnet run -c Release --project examples/CompareWithTorchSharp -- port eps          a net ported with this mistake; none: without, and trained
//   dotnet run -c Release --project examples/CompareWithTorchSharp -- record FILE       writes down what TorchSharp says, for machines without it
//
// Exit code 0: all agree; 1: something does not, or TorchSharp does not load; 2: a command line that makes no sense.
using System.CommandLine;
using System.Globalization;
using System.Text;
using MiniCnn.Cases;
using MiniCnn.Examples;
using MiniCnn.Interop;
using MiniCnn.Judge;

Console.OutputEncoding = Encoding.UTF8;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

Option<string> only = new("--only") { Description = "Cases with this in their name.", DefaultValueFactory = _ => "" };
Argument<string> file = new("FILE") { Description = "The safetensors file to write." };
Command recordCommand = new("record", "Write down what TorchSharp computes for the whole table.") { file };
Argument<string> mistake = new("MISTAKE") { Description = $"One of {string.Join(", ", PortedNet.Ports.Keys)}.", DefaultValueFactory = _ => "eps" };
mistake.AcceptOnlyFromAmong([.. PortedNet.Ports.Keys]);
Command portCommand = new("port", "Compare a net written for TorchSharp with its port, made with this mistake: layer by layer, forward and backward; without one, in training too.") { mistake };
RootCommand root = new(
    "Compare MiniCnn with TorchSharp: a table of cases, each with the same numbers on both sides; then a net ported with a mistake on purpose, which the parity kit "
    + "names. Needs TorchSharp's native libraries, which the project restores. Exit code 0: all agree; 1: something does not; 2: a command line that makes no sense.")
{
    only, portCommand, recordCommand,
};
root.SetAction(arguments =>
{
    int exitCode = Report.Show(CaseTable.All.Where(c => $"{c}".Contains(arguments.GetValue(only)!, StringComparison.OrdinalIgnoreCase)));
    if (arguments.GetValue(only) is "")
    {
        Console.WriteLine();
        _ = PortedNet.Show("eps");
    }
    return exitCode;
});
portCommand.SetAction(arguments => PortedNet.Show(arguments.GetValue(mistake)!));
recordCommand.SetAction(arguments =>
{
    Dictionary<string, Judgement> judgements = CaseTable.All.ToDictionary(c => c.Id, TorchJudge.Of);
    Recording.Write(arguments.GetValue(file)!, judgements, $"{TorchJudge.Version}, CPU");
    Console.WriteLine($"{arguments.GetValue(file)}: {judgements.Count} cases recorded from {TorchJudge.Version}");
    return 0;
});

try
{
    TorchLibrary.Load();
    ParseResult parsed = root.Parse(args);
    int exitCode = parsed.Invoke(new() { EnableDefaultExceptionHandler = false });
    return parsed.Errors.Count > 0 ? 2 : exitCode;
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or DllNotFoundException or PlatformNotSupportedException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

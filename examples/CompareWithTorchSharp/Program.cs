// Compares MiniCnn with TorchSharp: layers, losses, optimizers, schedules, initial weights and whole networks, on the same numbers.
// Then compares a network written for TorchSharp with a MiniCnn port that has a mistake, and names the mistake.
using System.CommandLine;
using MiniCnn.Cases;
using MiniCnn.Examples;
using MiniCnn.Interop;
using MiniCnn.Judge;

Option<string?> only = new("--only") { Description = "Compare only the cases with this text in their name, such as Conv2d [default: all]" };
RootCommand command = new(
    "Compares MiniCnn with TorchSharp in a table of cases, then compares a network that was ported with a mistake. Exit code 0: all cases agree; 1: a case "
    + "differs, or TorchSharp cannot be loaded; 2: wrong usage.") { only };
command.SetAction(options => Compare(options.GetValue(only)));

Argument<string> mistake = new("MISTAKE")
{
    Description = "The mistake in the port; none is a correct port, which is also trained for ten steps",
    DefaultValueFactory = _ => "eps",
};
mistake.AcceptOnlyFromAmong([.. PortedNet.Ports.Keys]);
Command portCommand = new("port", "Compares a network written for TorchSharp with its port, layer by layer, forward and backward.") { mistake };
portCommand.SetAction(options => Port(options.GetValue(mistake)!));
command.Add(portCommand);

Argument<string> file = new("FILE") { Description = "The safetensors file to write" };
Command recordCommand = new("record", "Records the results of TorchSharp for all cases, for machines without TorchSharp.") { file };
recordCommand.SetAction(options => Record(options.GetValue(file)!));
command.Add(recordCommand);

return CommandLine.Run(command, args, options =>
    Cases(options.GetValue(only)).Any() ? null : $"--only {options.GetValue(only)}: no case has this text in its name");

static IEnumerable<Case> Cases(string? only) => CaseTable.All.Where(c => $"{c}".Contains(only ?? "", StringComparison.OrdinalIgnoreCase));

static int Compare(string? only)
{
    TorchLibrary.Load();
    int exitCode = Report.Show(Cases(only));
    if (only is null)
    {
        Console.WriteLine();
        PortedNet.Show("eps");
    }
    return exitCode;
}

static int Port(string mistake)
{
    TorchLibrary.Load();
    return PortedNet.Show(mistake);
}

static void Record(string path)
{
    TorchLibrary.Load();
    Dictionary<string, Judgement> results = CaseTable.All.ToDictionary(c => c.Id, TorchJudge.Of);
    Recording.Write(path, results, $"{TorchJudge.Version}, CPU");
    Console.WriteLine($"{path}: {results.Count} cases recorded from {TorchJudge.Version}");
}

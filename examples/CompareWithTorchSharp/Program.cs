// Does this library's convolution compute what TorchSharp's computes?
//
//   dotnet run -c Release --project examples/CompareWithTorchSharp                        against a recording; needs no TorchSharp
//   dotnet run -c Release --project examples/CompareWithTorchSharp -p:TorchSharp=true     against TorchSharp itself, with times
//   … -p:TorchSharp=true -- record FILE                                                   makes such a recording
//
// Exit code 0: all agree; 1: something does not, or a file is bad; 2: a command line that makes no sense.
using System.CommandLine;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Parity;

Console.OutputEncoding = Encoding.UTF8;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
CaseTable table = CaseTable.Read(CaseTable.DefaultPath);

Option<string> recording = new("--recording")
{
    Description = "A recording to check. Without it: a live TorchSharp where one is compiled in, else the recording in the source.",
};
Argument<string> file = new("FILE") { Description = "The safetensors file to write." };
Command recordCommand = new("record", "Write down what TorchSharp computes for the table of cases; needs -p:TorchSharp=true.") { file };
RootCommand root = new("Compare this library's convolution and its gradients with TorchSharp's.") { recording, recordCommand };
root.SetAction(arguments => Compare(arguments.GetValue(recording)));
recordCommand.SetAction(arguments => Record(arguments.GetValue(file)!));

try
{
    ParseResult parsed = root.Parse(args);
    int exitCode = parsed.Invoke(new() { EnableDefaultExceptionHandler = false });
    return parsed.Errors.Count > 0 ? 2 : exitCode;
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or JsonException or ArgumentException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

int Compare(string? path)
{
#if TORCHSHARP
    if (path is null)
        return Live.Compare(table);
#endif
    Recording recording = Recording.Read(path ?? Recording.DefaultPath, table);
    Console.WriteLine($"MiniCnn and what was recorded from {recording.RecordedWith}");
    return Report.Show([.. table.Conv2d.Select(c =>
        c.IsDouble ? Recorded<double>(recording, c, ReferenceConv2d.Run) : Recorded<float>(recording, c, LayerConv2d.Run))]);
}

// The layer computes in float; cases in double are the reference's.
Comparison Recorded<T>(Recording recording, Conv2dCase c, Func<Conv2dShape, Conv2dInputs<T>, Conv2dResults<T>> run)
    where T : unmanaged, INumber<T>
{
    global::MiniCnn.Parity.Conv2dInputs<T> inputs = recording.Inputs<T>(c);
    return new(Conv2dReport.Compare(c, inputs, theirs: recording.Results<T>(c), ours: run(c.Shape, inputs)));
}

int Record(string path)
{
#if TORCHSHARP
    Live.Record(path, table);
    return Compare(path);
#else
    Console.Error.WriteLine($"only TorchSharp can record {path}: "
        + $"dotnet run -c Release --project examples/CompareWithTorchSharp -p:TorchSharp=true -- record {path}");
    return 2;
#endif
}

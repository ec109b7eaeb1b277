using System.CommandLine;
using System.CommandLine.Parsing;

namespace MiniCnn.Examples;

/// <summary>What the examples' command lines have in common: faults on one line; exit code 0 for done, 1 for failed, 2 for wrong usage.</summary>
static class CommandLine
{
    /// <summary>Runs the command that the arguments name, unless they have a fault: one that the check finds, or a stranger to the command.</summary>
    public static int Run(RootCommand root, string[] args, Func<ParseResult, string?> check)
    {
        ParseResult options = root.Parse(args);
        string? fault = options.Errors.Count > 0 ? string.Join(' ', options.Errors[0].Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            : Stranger(options) ?? check(options);
        if (fault is not null)
        {
            Console.Error.WriteLine($"{fault} (--help lists the options)");
            return 2;
        }
        try
        {
            return options.Invoke(new() { EnableDefaultExceptionHandler = false });
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("stopped");
            return 1;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException
            or OutOfMemoryException or ArithmeticException)
        {
            string message = e.Message;
            if (e is ArgumentException { ParamName: string name })
                message = message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal);
            Console.Error.WriteLine(message.ReplaceLineEndings(" "));
            return 1;
        }
    }

    /// <summary>A misspelt option that was taken for an argument; what comes after a “--” by itself is meant so.</summary>
    static string? Stranger(ParseResult options) => options.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
        .Where(token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal))
        .Select(token => $"there is no option {token.Value}").FirstOrDefault();

    /// <summary>The fault of a run anew into a folder where one was ended that can be gone on with.</summary>
    public static string? Unfinished(this ParseResult options, Option<bool> resume, Option<string> output) =>
        !options.GetValue(resume) && Checkpoint.Exists(CheckpointIn(options.GetValue(output)!))
        ? $"{CheckpointIn(options.GetValue(output)!)}: a run was ended here; --resume goes on with it, another {output.Name} leaves it alone" : null;

    /// <summary>Where a run keeps its checkpoint.</summary>
    public static string CheckpointIn(string folder) => Path.Combine(folder, "checkpoint.safetensors");

    /// <summary>Whether a run writes report.html into its folder: if not said, where it takes more than some seconds.</summary>
    public static Option<bool> Report(Func<ArgumentResult, bool>? byDefault = null) => new("--report")
    {
        Description = "Write report.html into the folder of --out, a page that follows the run in a browser; --report false leaves it out",
        DefaultValueFactory = byDefault ?? (_ => true),
    };

    /// <summary>Where that is.</summary>
    public static string ReportIn(string folder) => Path.Combine(folder, "report.html");

    /// <summary>The fault of an option below its least value, if it has it.</summary>
    public static string? Below(this ParseResult options, int least, Option<int> option) =>
        options.GetValue(option) < least ? $"{option.Name} must be at least {least}" : null;
}

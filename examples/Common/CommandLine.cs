using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace MiniCnn.Examples;

/// <summary>Command lines of the examples. An error is one line. Exit codes: 0 is success, 1 an error, 2 wrong usage.</summary>
static class CommandLine
{
    /// <summary>Parses the arguments and runs the command that they name.</summary>
    /// <param name="root">The command with its options and subcommands.</param>
    /// <param name="args">The arguments of the program.</param>
    /// <param name="check">Returns a usage error that the options themselves do not find, or null.</param>
    public static int Run(RootCommand root, string[] args, Func<ParseResult, string?>? check = null)
    {
        Console.OutputEncoding = Encoding.UTF8;
        ParseResult options = root.Parse(args);
        string? error = options.Errors.Count > 0 ? OneLine(options.Errors[0].Message) : UnknownOption(options) ?? check?.Invoke(options);
        if (error is not null)
        {
            Console.Error.WriteLine($"{error} (--help lists the options)");
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
            or OutOfMemoryException or ArithmeticException or DllNotFoundException or PlatformNotSupportedException)
        {
            string parameter = e is ArgumentException { ParamName: string name } ? $" (Parameter '{name}')" : "";
            Console.Error.WriteLine(OneLine(parameter is "" ? e.Message : e.Message.Replace(parameter, "", StringComparison.Ordinal)));
            return 1;
        }
    }

    /// <summary>A number of at least <paramref name="least"/>.</summary>
    public static Option<T> Number<T>(string name, string description, T value, T least) where T : struct, INumber<T> =>
        new(name) { Description = description, DefaultValueFactory = _ => value, CustomParser = given => Parse(given, name, least) ?? value };

    /// <summary>A number of at least <paramref name="least"/>, or null if it is not given.</summary>
    public static Option<int?> OptionalNumber(string name, string description, int least) =>
        new(name) { Description = description, CustomParser = given => Parse(given, name, least) };

    /// <summary>One of these words. The default is the first.</summary>
    public static Option<string> Choice(string name, string description, params string[] choices)
    {
        Option<string> option = new(name) { Description = description, DefaultValueFactory = _ => choices[0] };
        option.AcceptOnlyFromAmong(choices);
        return option;
    }

    static T? Parse<T>(ArgumentResult given, string name, T least) where T : struct, INumber<T>
    {
        string text = given.Tokens[0].Value;
        if (T.TryParse(text, CultureInfo.InvariantCulture, out T number) && number >= least && T.IsFinite(number))
            return number;
        string kind = typeof(T) == typeof(int) ? "a whole number" : "a number";
        given.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be {kind} of at least {least}, not {text}"));
        return null;
    }

    /// <summary>A misspelled option that was parsed as an argument. Arguments after “--” may begin with dashes.</summary>
    static string? UnknownOption(ParseResult options) => options.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
        .Where(token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal))
        .Select(token => $"there is no option {token.Value}").FirstOrDefault();

    static string OneLine(string message) => string.Join(' ', message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using MiniCnn.Cases;
using MiniCnn.Interop;
using TorchSharp;
using static TorchSharp.torch;

namespace MiniCnn.Judge;

/// <summary>Computes the cases of the table with a live TorchSharp.</summary>
static partial class TorchJudge
{
    /// <summary>Relative step of difference quotients, far above the precision of double, 2⁻⁵³. Their relative error is about 10⁻⁷.</summary>
    const double Move = 1.0 / (1 << 22);

    /// <summary>Number of bytes that a case may allocate before a garbage collection: 10,000 runs of 60 kB are 600 MB.</summary>
    const long Room = 1 << 30;

    /// <summary>Number of training runs with randomly changed inputs.</summary>
    const int Draws = 6;

    static TorchJudge()
    {
        TorchLibrary.Load();
        SilenceNativeErrors();
        set_num_threads(1);                            // with several threads, the small convolutions take 50 s instead of 6 s
    }

    /// <summary>The versions: “TorchSharp 0.107.0 on libtorch 2.10.0.0”.</summary>
    public static string Version => $"TorchSharp {typeof(torch).Assembly.GetName().Version!.ToString(3)} on libtorch {__version__}";

    /// <summary>Computes TorchSharp's results of a case in float.</summary>
    public static Numbers Float(Case c) => TorchLibrary.WithoutCollections(() =>
    {
        using TorchCase torchCase = TorchCase.Of(c, ScalarType.Float32);
        return torchCase.Run(c.Inputs());
    }, Room);

    /// <summary>Computes the exact results of a case and the bounds of rounding errors.</summary>
    public static Judgement Of(Case c) => TorchLibrary.WithoutCollections<Judgement>(() =>
    {
        Numbers inputs = c.Inputs();
        using TorchCase torchCase = TorchCase.Of(c, ScalarType.Float64);
        Numbers exact = torchCase.Run(inputs);
        return new(exact, c.Rounding switch
        {
            Rounding.Exact => Each(exact, _ => []),
            Rounding.Sums => SumsOfMagnitudes(c, torchCase, inputs, exact),
            Rounding.Formula => LargestMoves(c, torchCase, inputs, exact),
            _ => MovesByChance(c, torchCase, inputs, exact),
        });
    }, Room);

    static Numbers SumsOfMagnitudes(Case c, TorchCase torchCase, Numbers inputs, Numbers exact)
    {
        if (inputs.Count == 0)
            return Each(exact, name => Array.ConvertAll(exact[name], value => c.Terms * Math.Abs(value)));
        Numbers sums = torchCase.Run(Of(Math.Abs)), counts = torchCase.Run(Of(_ => 1));
        return Each(exact, name => c is LayerCase { Picks: true } && name == "y" ? [] : [.. sums[name].Zip(counts[name], (sum, count) => Math.Max(count + 1, c.Terms) * Math.Abs(sum))]);

        // The bias is 0 in the counts, because count + 1 includes it. The input of a max pool does not change, so that it selects the same elements.
        Numbers Of(Func<double, double> change) => Each(inputs, name =>
            name == "x" && c is LayerCase { Picks: true } ? inputs[name]
            : name == "bias" && change(0) != 0 ? new double[inputs[name].Length]
            : Array.ConvertAll(inputs[name], value => change(value)));
    }

    static Numbers LargestMoves(Case c, TorchCase torchCase, Numbers inputs, Numbers exact)
    {
        Numbers moves = Each(exact, name => Array.ConvertAll(exact[name], Math.Abs));
        foreach (double[] numbers in inputs.Values)
            for (int i = 0; i < numbers.Length; i++)
            {
                double before = numbers[i];
                if (before == 0)
                    continue;
                numbers[i] *= 1 + Move;
                foreach ((string name, double[] results) in torchCase.Run(inputs))
                    for (int at = 0; at < results.Length; at++)
                        moves[name][at] += Math.Abs(results[at] - exact[name][at]) / Move;
                numbers[i] = before;
            }
        return Each(moves, name => [c.Terms * (moves[name].Where(double.IsFinite).DefaultIfEmpty().Max() + c.Intermediate(name))]);
    }

    static Numbers MovesByChance(Case c, TorchCase torchCase, Numbers inputs, Numbers exact)
    {
        Random random = new(c.Seed);
        double epsilon = Judgement.Epsilon(isDouble: false), move = Math.Sqrt(c.Terms) * epsilon;
        Numbers moves = Each(exact, _ => [0]);
        for (int draw = 0; draw < Draws; draw++)
        {
            Numbers moved = Each(inputs, name => Array.ConvertAll(inputs[name], value => value * (1 + (random.Next(2) * 2 - 1) * move)));
            foreach ((string name, double[] results) in torchCase.Run(moved))
                moves[name][0] = Math.Max(moves[name][0], results.Zip(exact[name], (there, here) => Math.Abs(there - here)).Max());
        }
        return Each(moves, name => [moves[name][0] / epsilon + Math.Sqrt(c.Terms) * exact[name].Max(Math.Abs)]);
    }

    /// <summary>
    /// Redirects native error output to /dev/null, because libtorch writes a line per convolution on processors that NNPACK does not support. .NET's error
    /// output does not change.
    /// </summary>
    static void SilenceNativeErrors()
    {
        if (!OperatingSystem.IsLinux())
            return;
        Console.SetError(new StreamWriter(new FileStream(new SafeFileHandle(Duplicate(2), ownsHandle: true), FileAccess.Write)) { AutoFlush = true });
        using SafeFileHandle nowhere = File.OpenHandle("/dev/null", access: FileAccess.Write);
        _ = DuplicateTo((int)nowhere.DangerousGetHandle(), 2);
    }

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int DuplicateTo(int descriptor, int other);

    static Numbers Each(Numbers numbers, Func<string, double[]> make)
    {
        Numbers made = [];
        foreach (string name in numbers.Keys)
            made.Add(name, make(name));
        return made;
    }
}

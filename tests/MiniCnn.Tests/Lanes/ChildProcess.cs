using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Xunit.Sdk;

namespace MiniCnn.Tests;

/// <summary>
/// The tests of the layers, run by this assembly as a program: in a process with other instructions, or between guarded pages. And its Main.
/// </summary>
static class ChildProcess
{
    static readonly Type[] layers =
    [
        typeof(Conv2dLayerTests), typeof(PoolTests), typeof(LinearTests), typeof(DropoutTests), typeof(BiasGradientTests), typeof(LaneTensorTests),
        typeof(LayerTests), typeof(BatchNormTests), typeof(ActivationTests), typeof(FusionTests), typeof(FewImagesTests),
        typeof(WinogradTests), typeof(PadTests),
    ];

    /// <summary>Where .NET has no vectors only the table is asked again: every process runs the forms of width 1.</summary>
    static Type[] TypesOf(int width) => width == 1 ? [typeof(LaneTensorTests)] : layers;

    /// <summary>Runs all cases in a process in which an environment variable is 0; sees how wide its vectors are, and that each case ran.</summary>
    public static void Run(int width, string? off = null, bool guarded = false)
    {
        string[] program = [typeof(ChildProcess).Assembly.Location, guarded ? "guarded" : "plain"];
        ProcessStartInfo start = new("dotnet", program);
        if (off is not null)
            start.Environment[off] = "0";
        (int code, string output, string error) = Processes.Run(start);
        string[] lines = output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.True(code == 0, string.Join('\n', [.. lines, error]));
        Assert.Equal([Say(width, guarded), .. Cases(width, guarded).Select(c => c.Name)], lines);
        Assert.All(TypesOf(width), type => Assert.Contains(lines, line => line.StartsWith(type.Name + ".", StringComparison.Ordinal)));
    }

    /// <summary>
    /// Says of each case that it held; the first that does not ends the process, and so does a read or write on a guarded page. Or decodes damaged
    /// pictures.
    /// </summary>
    static void Main(string[] arguments)
    {
        if (arguments is ["pictures", string format, string first, string count])
        {
            MutatedPictureTests.Decode(format, int.Parse(first, CultureInfo.InvariantCulture), int.Parse(count, CultureInfo.InvariantCulture));
            return;
        }
        if (arguments is ["guarded"])
            GuardedMemory.Use();
        _ = new LaneTensor<float>(1, new(1, 1, 1)).Resize(1);
        bool guarded = GuardedMemory.Taken > 0;
        Console.WriteLine(Say(Simd.Width, guarded));
        foreach ((string name, MethodInfo method, object?[] values) in Cases(Simd.Width, guarded))
        {
            Console.Error.WriteLine(name);
            object? test = Activator.CreateInstance(method.DeclaringType!);
            (method.Invoke(test, BindingFlags.DoNotWrapExceptions, null, values, null) as Task)?.GetAwaiter().GetResult();
            Console.WriteLine(name);
        }
    }

    static string Say(int width, bool guarded) => $"vectors of {width}, {(guarded ? "guarded pages" : "plain memory")}";

    /// <summary>
    /// The facts, and the theories with their data: those of the process's own vectors, for narrower ones have a process of their own, but between guarded
    /// pages of all vectors that are not software.
    /// </summary>
    static IEnumerable<(string Name, MethodInfo Method, object?[] Values)> Cases(int width, bool guarded) =>
        from type in TypesOf(width).Append(guarded ? typeof(AdjointTests) : typeof(CaseTableTests))
        from method in type.GetMethods().Where(m => m.IsDefined(typeof(FactAttribute)))
        let takesWidth = method.GetParameters() is [{ Name: "lanes" }, { Name: "width" }, ..]
        from values in method.GetCustomAttributes<DataAttribute>().SelectMany(data => data.GetData(method)).DefaultIfEmpty([])
        where !takesWidth || (int)values[1]! == width || guarded && (int)values[1]! < width
        select ($"{type.Name}.{method.Name}({string.Join(", ", values)})", method, values);
}

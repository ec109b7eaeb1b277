using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Xunit.Sdk;

namespace MiniCnn.Tests;

/// <summary>Runs the tests of the layers with this assembly as a program: with other vector instructions or with guarded pages. Also contains Main.</summary>
static class ChildProcess
{
    static readonly Type[] layers =
    [
        typeof(Conv2dLayerTests), typeof(PoolTests), typeof(LinearTests), typeof(DropoutTests), typeof(BiasGradientTests), typeof(LaneTensorTests),
        typeof(LayerTests), typeof(BatchNormTests), typeof(ActivationTests), typeof(FusionTests), typeof(FewImagesTests),
        typeof(WinogradTests), typeof(PadTests),
    ];

    /// <summary>In the process without vectors, only LaneTensorTests and the case table run: every process runs the forms of width 1.</summary>
    static Type[] TypesOf(int width) => width == 1 ? [typeof(LaneTensorTests)] : layers;

    /// <summary>Runs all cases in a process with an environment variable set to 0. Verifies the vector width and that each case ran.</summary>
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
    /// Writes the name of each passed case. The first failure ends the process, as does an access to a guarded page. With the argument “pictures”, decodes
    /// damaged pictures instead.
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
    /// The facts and the theories with their data. Theories over vector widths run for the width of the process; with guarded pages, also for narrower vectors.
    /// </summary>
    static IEnumerable<(string Name, MethodInfo Method, object?[] Values)> Cases(int width, bool guarded) =>
        from type in TypesOf(width).Append(guarded ? typeof(AdjointTests) : typeof(CaseTableTests))
        from method in type.GetMethods().Where(m => m.IsDefined(typeof(FactAttribute)))
        let takesWidth = method.GetParameters() is [{ Name: "lanes" }, { Name: "width" }, ..]
        from values in method.GetCustomAttributes<DataAttribute>().SelectMany(data => data.GetData(method)).DefaultIfEmpty([])
        where !takesWidth || (int)values[1]! == width || guarded && (int)values[1]! < width
        select ($"{type.Name}.{method.Name}({string.Join(", ", values)})", method, values);
}

using System.Globalization;
using MiniCnn.Interop;
using TorchSharp;

namespace MiniCnn.Tests;

/// <summary>MiniCnn.TorchSharp as somebody else gets it. What is in its package, PackageTests see.</summary>
public sealed class TorchSharpPackageTests(Packed packed) : IClassFixture<Packed>
{
    static readonly string torchSharp = typeof(torch).Assembly.GetName().Version!.ToString(3);

    [Fact]
    public void The_public_API_is_what_was_decided() => PublicApi.IsAsDecided(typeof(TorchLibrary).Assembly);

    [Fact]
    public void The_program_of_its_README_trains_with_TorchSharp_where_there_is_nothing_but_the_packages()
    {
        string program = packed.Program("MiniCnn.TorchSharp");
        string[] output = packed.Run(program, ("MiniCnn.TorchSharp", Packed.Version), ("TorchSharp-cpu", torchSharp)).Split('\n');
        string loss = Assert.Single(output, line => line.StartsWith("test loss: ", StringComparison.Ordinal)).Split(' ')[2];
        Assert.InRange(float.Parse(loss, CultureInfo.InvariantCulture), 0, 1);

        string bin = Path.Combine(packed.Consumer, "bin", "Release", "net10.0");
        Assert.Equal(["runtimes"], Directory.GetDirectories(bin).Select(Path.GetFileName));    // TorchSharp has copied no libraries
    }

    [Fact]
    public void The_programs_of_the_documents_run()
    {
        KeyValuePair<string, string>[] programs = [.. Documents.Programs.Where(program => program.Value.Contains("using MiniCnn.Interop", StringComparison.Ordinal))];
        Assert.Equal(["parity", "parity-training"], programs.Select(program => program.Key));
        packed.Build(programs, ("MiniCnn.TorchSharp", Packed.Version), ("TorchSharp-cpu", torchSharp));
        Assert.Contains(Documents.Quoted("It looks like this: "), Run("parity"), StringComparison.Ordinal);
        Assert.Contains("drift", Run("parity-training"), StringComparison.Ordinal);

        string Run(string name) => packed.RunBuilt(name, packed.Folder, ("OMP_NUM_THREADS", "1"));
    }
}

using System.Globalization;
using System.IO.Compression;
using System.Reflection;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace MiniCnn.Tests;

/// <summary>The packages as somebody else gets them: what is in them, and the programs of their READMEs in a project that has nothing but them.</summary>
public sealed class PackageTests(Packed packed) : IClassFixture<Packed>
{
    static readonly string[] names = ["MiniCnn", "MiniCnn.Imaging", "MiniCnn.Onnx", "MiniCnn.Reports", .. Repository.Says("TorchSharp") == "true" ? ["MiniCnn.TorchSharp"] : Array.Empty<string>()];

    [Fact]
    public void Packages_are_made_with_their_symbols_and_nothing_else()
    {
        Assert.Equal(
            names.SelectMany(name => new[] { packed.PathOf(name, "nupkg"), packed.PathOf(name, "snupkg") }),
            Directory.GetFiles(packed.Folder).Order(StringComparer.Ordinal));
        foreach (string name in names)
        {
            string[] licences = name == "MiniCnn.Imaging" ? ["LICENSE", "LICENSE-DejaVu.txt"] : ["LICENSE"];
            Assert.Equal([.. licences, $"{name}.nuspec", "README.md", "icon.png", $"lib/net10.0/{name}.dll", $"lib/net10.0/{name}.xml"], Files(name, "nupkg"));
            Assert.Equal([$"{name}.nuspec", $"lib/net10.0/{name}.pdb"], Files(name, "snupkg"));
            Assert.InRange(new FileInfo(packed.PathOf(name, "nupkg")).Length, 1, 999_999);
        }

        // Without the format's own: [Content_Types].xml, _rels/, package/.
        string[] Files(string name, string kind)
        {
            using ZipArchive zip = ZipFile.OpenRead(packed.PathOf(name, kind));
            return [.. zip.Entries.Select(e => e.FullName).Where(e => e[0] is not ('[' or '_') && !e.StartsWith("package/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)];
        }
    }

    [Fact]
    public void They_say_what_they_are_and_what_they_need()
    {
        foreach (string name in names)
        {
            XElement metadata = XElement.Parse(packed.Text(name, $"{name}.nuspec").TrimStart('\ufeff')).Elements().Single();
            string Says(string element) => metadata.Elements().Single(e => e.Name.LocalName == element).Value;
            Assert.Equal((name, "MIT", "icon.png", "README.md"), (Says("id"), Says("license"), Says("icon"), Says("readme")));
            Assert.True(Says("description").Length > 60 && Says("tags").Split(' ').Length > 4);
            Assert.StartsWith("### Added\n", Says("releaseNotes"), StringComparison.Ordinal);
            Assert.Equal(
                name switch
                {
                    "MiniCnn" => ["MathNet.Numerics", "System.Numerics.Tensors"],
                    "MiniCnn.Imaging" => [$"MiniCnn [{Packed.Version}]", "SkiaSharp", "SkiaSharp.NativeAssets.Linux.NoDependencies"],    // it uses MiniCnn's internals
                    "MiniCnn.Onnx" => [$"MiniCnn [{Packed.Version}]", "Google.Protobuf"],
                    "MiniCnn.Reports" => [$"MiniCnn.Imaging [{Packed.Version}]", $"MiniCnn [{Packed.Version}]", "Spectre.Console"],
                    _ => new[] { $"MiniCnn [{Packed.Version}]", "TorchSharp" },                // so does this one
                },
                metadata.Descendants().Where(e => e.Name.LocalName == "dependency").Select(
                    e => e.Attribute("id")!.Value + (e.Attribute("version")!.Value is ['[', ..] only ? $" {only}" : "")));
            // On its page nothing is beside it.
            Assert.DoesNotContain("](", packed.Text(name, "README.md").Replace("](https://", ""), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void They_are_for_trimming_and_name_no_folder_of_this_machine()
    {
        foreach (string name in names)
        {
            using PEReader reader = new([.. packed.Bytes(name, $"lib/net10.0/{name}.dll")]);
            DebugDirectoryEntry[] entries = [.. reader.ReadDebugDirectory()];
            Assert.Contains(entries, e => e.Type == DebugDirectoryEntryType.Reproducible);
            string pdb = reader.ReadCodeViewDebugDirectoryData(entries.Single(e => e.Type == DebugDirectoryEntryType.CodeView)).Path;
#if !DEBUG
            Assert.StartsWith($"/_/src/{name}/", pdb.Replace('\\', '/'), StringComparison.Ordinal);
#endif
        }
        // TorchSharp is not for trimming.
        Assert.All([typeof(Layer).Assembly, typeof(Imaging.Picture).Assembly, typeof(Reports.ConsoleProgress).Assembly, typeof(OnnxModels.OnnxModel).Assembly], assembly => Assert.Contains(
            assembly.GetCustomAttributes<AssemblyMetadataAttribute>(), a => a is { Key: "IsTrimmable", Value: "True" }));
    }

    [Fact]
    public void The_programs_of_their_READMEs_run_where_there_is_nothing_but_the_packages()
    {
        string[] programs = [packed.Program("MiniCnn"), packed.Program("MiniCnn.Imaging"), packed.Program("MiniCnn.Reports"), packed.Program("MiniCnn.Onnx")];

        SurfacePhotos.Draw(Path.Combine(packed.Consumer, "surfaces"), dents: 80, scratches: 300, whole: 800, seed: 1);
        ILookup<bool, string> lines = programs.SelectMany(p => $"{{\n{p}}}\n".Split('\n')).ToLookup(IsUsing);
        Assert.InRange(programs[2].Split('\n').Length, 20, 40);
        string output = packed.Run(string.Join('\n', lines[true].Distinct().Concat(lines[false])), ("MiniCnn.Onnx", Packed.Version), ("MiniCnn.Reports", Packed.Version));
        string loss = Assert.Single(output.Split('\n'), line => line.StartsWith("test loss: ", StringComparison.Ordinal)).Split(' ')[2];
        Assert.InRange(float.Parse(loss, CultureInfo.InvariantCulture), 0, 1);
        Assert.Contains("edges: 306 by 230; input: 12288 numbers", output, StringComparison.Ordinal);
        Assert.Contains("epoch 20: validation loss 0.", output, StringComparison.Ordinal);
        Match best = Regex.Match(output, @"all 20 epochs done; best: epoch (\d+), macro recall (0\.\d+|1\.0000); the model is that epoch's");
        Assert.InRange(double.Parse(best.Groups[2].Value, CultureInfo.InvariantCulture), 0.9, 1);
        Assert.Matches(@"\nmacro average .*\n", output);
        Assert.Matches(@"\naccuracy: \d+\.\d\d % \(\d+ of 1000\)", output);
        Assert.Contains("All 20 epochs done", File.ReadAllText(Path.Combine(packed.Consumer, "report.html")), StringComparison.Ordinal);
        Assert.All(["model.safetensors", "edges.png", "surfaces.safetensors"], file => Assert.True(File.Exists(Path.Combine(packed.Consumer, file)), file));

        string bin = Path.Combine(packed.Consumer, "bin", "Release", "net10.0");
        // Native code is Skia's alone.
        Assert.All(
            Directory.GetFiles(Path.Combine(bin, "runtimes"), "*", SearchOption.AllDirectories),
            file => Assert.StartsWith("libSkiaSharp.", Path.GetFileName(file), StringComparison.Ordinal));
        Assert.All(Directory.GetFiles(bin, "*.dll"), file =>
        {
            using PEReader reader = new(File.OpenRead(file));
            Assert.True(reader.HasMetadata && reader.PEHeaders.CorHeader!.Flags.HasFlag(CorFlags.ILOnly), $"{file} is not managed code alone");
        });
        Assert.Equal(
            [
                "Consumer.dll", "Google.Protobuf.dll", "MathNet.Numerics.dll", "MiniCnn.Imaging.dll", "MiniCnn.Onnx.dll", "MiniCnn.Reports.dll", "MiniCnn.dll", "SkiaSharp.dll", "Spectre.Console.Ansi.dll",
                "Spectre.Console.dll", "System.Numerics.Tensors.dll",
            ],
            Directory.GetFiles(bin, "*.dll").Select(Path.GetFileName).Order(StringComparer.Ordinal));

        // Compiled ahead of time, where MINICNN_AOT=1 asks for that, they learn and draw the same, to the bit; DOTNET_EnableAVX512=0 holds both to AVX2.
        if (Environment.GetEnvironmentVariable("MINICNN_AOT") == "1")
        {
            byte[][] made = Made();
            File.Delete(Path.Combine(packed.Consumer, "report.html"));
            packed.RunNative();
            Assert.Equal(made, Made());
            Assert.Contains("All 20 epochs done", File.ReadAllText(Path.Combine(packed.Consumer, "report.html")), StringComparison.Ordinal);
        }

        byte[][] Made() => [.. ((string[])["model.safetensors", "edges.png", "surfaces.safetensors"]).Select(file =>
        {
            byte[] bytes = File.ReadAllBytes(Path.Combine(packed.Consumer, file));
            File.Delete(Path.Combine(packed.Consumer, file));
            return bytes;
        })];

        static bool IsUsing(string line) => line.StartsWith("using MiniCnn", StringComparison.Ordinal);
    }
}

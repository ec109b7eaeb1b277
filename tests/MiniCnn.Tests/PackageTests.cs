using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Reflection;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace MiniCnn.Tests;

/// <summary>The packages as somebody else gets them: what is in them, and the programs of their READMEs in a project that has nothing but them.</summary>
public sealed class PackageTests(PackageTests.Packed packed) : IClassFixture<PackageTests.Packed>
{
    static readonly string[] names = ["MiniCnn", "MiniCnn.Imaging"];

    [Fact]
    public void Two_packages_are_made_with_their_symbols_and_nothing_else()
    {
        string version = packed.Version;
        Assert.Equal(
            [$"MiniCnn.{version}.nupkg", $"MiniCnn.{version}.snupkg", $"MiniCnn.Imaging.{version}.nupkg", $"MiniCnn.Imaging.{version}.snupkg"],
            Directory.GetFiles(packed.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (string name in names)
        {
            Assert.Equal(["LICENSE", $"{name}.nuspec", "README.md", "icon.png", $"lib/net10.0/{name}.dll", $"lib/net10.0/{name}.xml"], Files(name, "nupkg"));
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
            Assert.Equal(
                name == "MiniCnn" ? ["MathNet.Numerics", "System.Numerics.Tensors"] : [$"MiniCnn [{packed.Version}]"],      // Imaging uses MiniCnn's internals
                metadata.Descendants().Where(e => e.Name.LocalName == "dependency")
                    .Select(e => e.Attribute("id")!.Value + (name == "MiniCnn" ? "" : $" {e.Attribute("version")!.Value}")));
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
            Assembly assembly = names[0] == name ? typeof(Layer).Assembly : typeof(Imaging.Picture).Assembly;
            Assert.Contains(assembly.GetCustomAttributes<AssemblyMetadataAttribute>(), a => a is { Key: "IsTrimmable", Value: "True" });
        }
    }

    [Fact]
    public void The_programs_of_their_READMEs_run_where_there_is_nothing_but_the_packages()
    {
        string[] programs = [.. names.Select(name => packed.Text(name, "README.md").ReplaceLineEndings("\n").Split("```csharp\n")[1].Split("```")[0])];
        string readme = File.ReadAllText(Path.Combine(ReadmeTests.Root(), "README.md")).ReplaceLineEndings("\n");
        Assert.Contains(readme.Split("<!-- first program: begin -->\n```csharp\n")[1].Split("```")[0], programs[0], StringComparison.Ordinal);

        string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "Consumer.csproj"), $"""
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup>
                    <OutputType>Exe</OutputType>
                    <TargetFramework>net10.0</TargetFramework>
                    <ImplicitUsings>enable</ImplicitUsings>
                    <Nullable>enable</Nullable>
                    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                  </PropertyGroup>
                  <ItemGroup>
                    <PackageReference Include="MiniCnn.Imaging" Version="{packed.Version}" />
                  </ItemGroup>
                </Project>
                """);
            // What they depend on comes from where it lies since this test was built: nothing is asked of the network.
            string root = typeof(PackageTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "NuGetPackageRoot").Value!;
            File.WriteAllText(Path.Combine(folder, "nuget.config"), $"""
                <configuration>
                  <packageSources>
                    <clear />
                    <add key="packed" value="{packed.Folder}" />
                    <add key="others" value="{root}" />
                  </packageSources>
                  <packageSourceMapping>
                    <packageSource key="packed"><package pattern="MiniCnn" /><package pattern="MiniCnn.*" /></packageSource>
                    <packageSource key="others"><package pattern="*" /></packageSource>
                  </packageSourceMapping>
                </configuration>
                """);
            ILookup<bool, string> lines = programs.SelectMany(p => p.Split('\n')).ToLookup(line => line.StartsWith("using MiniCnn", StringComparison.Ordinal));
            File.WriteAllLines(Path.Combine(folder, "Program.cs"), lines[true].Concat(lines[false]));

            string output = Dotnet.Run(folder, ["run", "-c", "Release"], ("NUGET_PACKAGES", Path.Combine(folder, "packages")));
            string loss = Assert.Single(output.Split('\n'), line => line.StartsWith("test loss: ", StringComparison.Ordinal)).Split(' ')[2];
            Assert.InRange(float.Parse(loss, CultureInfo.InvariantCulture), 0, 1);
            Assert.Contains("edges: 306 by 230; input: 12288 numbers", output, StringComparison.Ordinal);
            Assert.All(["model.safetensors", "edges.png"], file => Assert.True(File.Exists(Path.Combine(folder, file)), file));

            string bin = Path.Combine(folder, "bin", "Release", "net10.0");
            Assert.False(Directory.Exists(Path.Combine(bin, "runtimes")));
            Assert.All(Directory.GetFiles(bin, "*.dll"), file =>
            {
                using PEReader reader = new(File.OpenRead(file));
                Assert.True(reader.HasMetadata && reader.PEHeaders.CorHeader!.Flags.HasFlag(CorFlags.ILOnly), $"{file} is not managed code alone");
            });
            Assert.Equal(
                ["Consumer.dll", "MathNet.Numerics.dll", "MiniCnn.Imaging.dll", "MiniCnn.dll", "System.Numerics.Tensors.dll"],
                Directory.GetFiles(bin, "*.dll").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What dotnet pack makes of the whole solution.</summary>
    public sealed class Packed : IDisposable
    {
        public Packed()
        {
            string configuration = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)))!;
            Dotnet.Run(ReadmeTests.Root(), ["pack", "--no-build", "-c", configuration, "-o", Folder]);
            Version = Path.GetFileName(Directory.GetFiles(Folder, "MiniCnn.Imaging.*.nupkg").Single())["MiniCnn.Imaging.".Length..^".nupkg".Length];
        }

        public string Folder { get; } = Directory.CreateTempSubdirectory("minicnn-").FullName;

        public string Version { get; }

        public string PathOf(string name, string kind) => Path.Combine(Folder, $"{name}.{Version}.{kind}");

        public byte[] Bytes(string name, string file)
        {
            using ZipArchive zip = ZipFile.OpenRead(PathOf(name, "nupkg"));
            using Stream entry = zip.GetEntry(file)?.Open() ?? throw new FileNotFoundException($"{name}'s package has no {file}");
            using MemoryStream bytes = new();
            entry.CopyTo(bytes);
            return bytes.ToArray();
        }

        public string Text(string name, string file) => System.Text.Encoding.UTF8.GetString(Bytes(name, file));

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }

    static class Dotnet
    {
        /// <summary>Runs dotnet to its end; no process stays behind that holds the folder.</summary>
        public static string Run(string folder, string[] arguments, params (string Name, string Value)[] environment)
        {
            ProcessStartInfo start = new("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
            (string, string)[] all =
            [
                ("MSBUILDDISABLENODEREUSE", "1"), ("UseSharedCompilation", "false"), ("DOTNET_CLI_USE_MSBUILD_SERVER", "0"),
                ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1"), .. environment,
            ];
            foreach ((string name, string value) in all)
                start.Environment[name] = value;
            using Process process = Process.Start(start)!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}: exit code {process.ExitCode}\n{output}{error.GetAwaiter().GetResult()}");
            return output;
        }
    }
}

using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace MiniCnn.Tests;

/// <summary>What dotnet pack makes of the whole solution, and a project that has nothing but such packages.</summary>
public sealed class Packed : IDisposable
{
    public const string Version = "0.1.0-packed";                     // no folder of packages on this machine has it

    public Packed()
    {
        string configuration = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)))!;
        // nuspec files have a folder of their own: another test run may pack at the same time.
        Dotnet(
            Repository.Root,
            ["pack", "--no-build", "-c", configuration, "-o", Folder, $"-p:Version={Version}", $"-p:NuspecOutputPath={Path.Combine(Folder, "nuspec")}/"]);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("minicnn-").FullName;

    /// <summary>Where <see cref="Run"/> makes its project.</summary>
    public string Consumer => Path.Combine(Folder, "Consumer");

    public string PathOf(string name, string kind) => Path.Combine(Folder, $"{name}.{Version}.{kind}");

    public byte[] Bytes(string name, string file)
    {
        using ZipArchive zip = ZipFile.OpenRead(PathOf(name, "nupkg"));
        using Stream entry = zip.GetEntry(file)?.Open() ?? throw new FileNotFoundException($"{name}'s package has no {file}");
        using MemoryStream bytes = new();
        entry.CopyTo(bytes);
        return bytes.ToArray();
    }

    public string Text(string name, string file) => Encoding.UTF8.GetString(Bytes(name, file));

    /// <summary>The program of a package's README.</summary>
    public string Program(string name) => Text(name, "README.md").ReplaceLineEndings("\n").Split("```csharp\n")[1].Split("```")[0];

    /// <summary>Runs a program in a project made from nothing, and returns what it wrote.</summary>
    public string Run(string program, params (string Package, string Version)[] references)
    {
        Directory.CreateDirectory(Consumer);
        File.WriteAllText(Path.Combine(Consumer, "Consumer.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
              </PropertyGroup>
              <ItemGroup>
                {string.Concat(references.Select(r => $"<PackageReference Include=\"{r.Package}\" Version=\"{r.Version}\" />"))}
              </ItemGroup>
            </Project>
            """);
        // What they depend on is used where it lies since this test was built: nothing is asked of the network, and nothing of it copied.
        File.WriteAllText(Path.Combine(Consumer, "nuget.config"), $"""
            <configuration>
              <packageSources>
                <clear />
                <add key="packed" value="{Folder}" />
              </packageSources>
              <fallbackPackageFolders>
                <add key="others" value="{Repository.Says("NuGetPackageRoot")}" />
              </fallbackPackageFolders>
            </configuration>
            """);
        File.WriteAllText(Path.Combine(Consumer, "Program.cs"), program);
        // One thread for libtorch: its threads spin where other tests run beside them.
        return Dotnet(Consumer, ["run", "-c", "Release"], Packages, ("OMP_NUM_THREADS", "1"));
    }

    /// <summary>Compiles the program that was <see cref="Run"/> last ahead of time, as the README says, and runs that.</summary>
    public void RunNative()
    {
        string made = Path.Combine(Folder, "native");
        string[] width = $"{RuntimeInformation.ProcessArchitecture}" == "X64" ? ["-p:IlcInstructionSet=x86-64-v3"] : [];
        Dotnet(Consumer, ["publish", "-c", "Release", "--use-current-runtime", "-p:PublishAot=true", .. width, "-o", made], Packages);
        Execute(Path.Combine(made, "Consumer"), Consumer, []);
    }

    (string, string) Packages => ("NUGET_PACKAGES", Path.Combine(Consumer, "packages"));

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Runs dotnet to its end; no process stays behind that holds the folder.</summary>
    static string Dotnet(string folder, string[] arguments, params (string Name, string Value)[] environment) => Execute(
        "dotnet", folder, arguments,
        [
            ("MSBUILDDISABLENODEREUSE", "1"), ("UseSharedCompilation", "false"), ("DOTNET_CLI_USE_MSBUILD_SERVER", "0"),
            ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1"), .. environment,
        ]);

    static string Execute(string program, string folder, string[] arguments, params (string Name, string Value)[] environment)
    {
        ProcessStartInfo start = new(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}\n{output}{error.GetAwaiter().GetResult()}");
        return output;
    }
}

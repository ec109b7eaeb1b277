using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace MiniCnn.Tests;

/// <summary>The packages that dotnet pack makes of the solution, and projects that use only these packages.</summary>
public sealed class Packed : IDisposable
{
    public const string Version = "0.2.0-packed";                     // no package folder of this machine has it

    public Packed()
    {
        string configuration = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)))!;
        // nuspec files have a folder of their own: another test run may pack at the same time.
        Dotnet(
            Repository.Root,
            ["pack", "--no-build", "-c", configuration, "-o", Folder, $"-p:Version={Version}", $"-p:NuspecOutputPath={Path.Combine(Folder, "nuspec")}/"]);

        Directory.CreateDirectory(Projects);
        // Other packages are used from the folder where the build of this test restored them: no network, no copies.
        File.WriteAllText(Path.Combine(Projects, "nuget.config"), $"""
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
        File.WriteAllText(Path.Combine(Projects, "Directory.Build.props"), """
            <Project>
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
              </PropertyGroup>
            </Project>
            """);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("minicnn-").FullName;

    /// <summary>The folder of the project that <see cref="Run"/> makes.</summary>
    public string Consumer => Path.Combine(Projects, "Consumer");

    string Projects => Path.Combine(Folder, "projects");

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

    /// <summary>Runs a program in a new project, and returns its output.</summary>
    public string Run(string program, params (string Package, string Version)[] references)
    {
        WriteProject("Consumer", program, references);
        // One thread for libtorch: its threads would spin while other tests run.
        return Dotnet(Consumer, ["run", "-c", "Release"], Packages, ("OMP_NUM_THREADS", "1"));
    }

    /// <summary>Builds programs, each in a project of its own.</summary>
    public void Build(IEnumerable<KeyValuePair<string, string>> programs, params (string Package, string Version)[] references)
    {
        StringBuilder solution = new();
        foreach ((string name, string program) in programs)
        {
            WriteProject(name, program, references);
            solution.Append($"<Project Path=\"{name}/{name}.csproj\" />");
        }
        File.WriteAllText(Path.Combine(Projects, "All.slnx"), $"<Solution>{solution}</Solution>");
        Dotnet(Projects, ["build", "-c", "Release", "All.slnx"], Packages);
    }

    /// <summary>Runs a program that was built, in a folder, and returns its output.</summary>
    public string RunBuilt(string name, string folder, params (string Name, string Value)[] environment) =>
        Execute("dotnet", folder, [Built(name)], environment);

    /// <summary>The path of a program that was built.</summary>
    public string Built(string name) => Path.Combine(Projects, name, "bin", "Release", "net10.0", $"{name}.dll");

    /// <summary>Compiles the program that was <see cref="Run"/> last ahead of time, as the documents say, and runs it.</summary>
    public void RunNative()
    {
        string made = Path.Combine(Folder, "native");
        string[] width = $"{RuntimeInformation.ProcessArchitecture}" == "X64" ? ["-p:IlcInstructionSet=x86-64-v3"] : [];
        Dotnet(Consumer, ["publish", "-c", "Release", "--use-current-runtime", "-p:PublishAot=true", .. width, "-o", made], Packages);
        Execute(Path.Combine(made, "Consumer"), Consumer, []);
    }

    void WriteProject(string name, string program, (string Package, string Version)[] references)
    {
        string folder = Directory.CreateDirectory(Path.Combine(Projects, name)).FullName;
        File.WriteAllText(Path.Combine(folder, $"{name}.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk{(program.Contains("WebApplication", StringComparison.Ordinal) ? ".Web" : "")}">
              <ItemGroup>
                {string.Concat(references.Select(r => $"<PackageReference Include=\"{r.Package}\" Version=\"{r.Version}\" />"))}
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(Path.Combine(folder, "Program.cs"), program);
    }

    (string, string) Packages => ("NUGET_PACKAGES", Path.Combine(Projects, "packages"));

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

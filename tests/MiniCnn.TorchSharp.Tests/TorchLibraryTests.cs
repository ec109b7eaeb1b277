using System.Diagnostics;
using System.Runtime.InteropServices;
using MiniCnn.Interop;
using TorchSharp;

namespace MiniCnn.Tests;

/// <summary>TorchSharp loads with nothing written beside the program; where it cannot, one line says why.</summary>
public sealed class TorchLibraryTests : FolderTests
{
    const string InMemory = "/memfd:libLibTorchSharp.so (deleted)";
    static readonly string home = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
    static readonly string natives = Path.Combine("runtimes", "linux-x64", "native");

    [Fact]
    public void TorchSharp_computes()
    {
        TorchLibrary.Load();
        Assert.Equal(2, torch.ones(2).sum().item<float>());
        Assert.False(Directory.Exists(Path.Combine(home, "cpu")), "TorchSharp has copied its libraries");
    }

    [LinuxFact]
    public void Only_an_old_libstdcxx_makes_a_copy_in_memory() => Assert.Equal(
        [HasOldLibrary ? InMemory : Path.Combine(home, natives, "libLibTorchSharp.so")], TorchProgram.MappedFrom());

    [LinuxFact]
    public void A_library_that_loads_is_left_alone()
    {
        Copy();
        string weak = Path.Combine(folder, natives, "libLibTorchSharp.so");
        Directory.CreateDirectory(Path.GetDirectoryName(weak)!);
        File.WriteAllBytes(weak, IostreamMarker.Weaken(File.ReadAllBytes(Path.Combine(home, natives, "libLibTorchSharp.so")))!);
        AssertComputes(TorchProgram.Start(folder, libraries: Path.Combine(home, natives)), weak);
    }

    [LinuxFact]
    public void A_library_in_the_programs_folder_is_found_too()
    {
        Copy();
        CopyNative("libLibTorchSharp.so", folder);
        AssertComputes(
            TorchProgram.Start(folder, libraries: Path.Combine(home, natives)),
            HasOldLibrary ? InMemory : PathOf("libLibTorchSharp.so"));
    }

    [Fact]
    public void Two_programs_at_once_compute_and_write_nothing()
    {
        string[] before = Listing();
        Process[] programs = [TorchProgram.Start(home), TorchProgram.Start(home)];
        Assert.All(programs, program => AssertComputes(program, TorchProgram.MappedFrom().SingleOrDefault()));
        Assert.Equal(before, Listing());
        Assert.NotNull(IostreamMarker.Weaken(File.ReadAllBytes(Path.Combine(home, natives, "libLibTorchSharp.so"))));
    }

    [Fact]
    public void Without_native_libraries_one_line_says_so()
    {
        Copy();
        AssertFails($"{(OperatingSystem.IsWindows() ? "torch.dll" : "libtorch.")}", $"is neither in {folder}", "reference TorchSharp-cpu");
    }

    [LinuxFact]
    public void Without_libtorch_one_line_says_so()
    {
        Copy();
        CopyNative("libLibTorchSharp.so", PathOf(natives));
        AssertFails($"libtorch.so is neither in {folder}");
    }

    [LinuxFact]
    public void Without_one_library_of_libtorch_one_line_names_it()
    {
        Copy();
        CopyNative("libLibTorchSharp.so", PathOf(natives));
        CopyNative("libtorch.so", PathOf(natives));
        AssertFails($"{Path.Combine(folder, natives, "libtorch.so")} does not load (libtorch_cpu.so: cannot open shared object file");
    }

    [LinuxFact]
    public void Of_a_damaged_library_one_line_says_so()
    {
        Copy();
        File.WriteAllText(PathOf("libtorch.so"), "\n not a library \n");
        AssertFails($"{PathOf("libtorch.so")} does not load ({PathOf("libtorch.so")}: ");
    }

    [Theory]
    [InlineData("linux-musl-x64"), InlineData("linux-arm64"), InlineData("osx-x64"), InlineData("win-x86")]
    public void A_platform_without_libraries_is_named(string platform)
    {
        string message = Assert.Throws<PlatformNotSupportedException>(() => TorchLibrary.RequirePlatform(platform)).Message;
        Assert.Contains($"this is {platform}: use one of those", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    static bool HasOldLibrary => !NativeLibrary.TryGetExport(NativeLibrary.Load("libstdc++.so.6"), "_ZSt21ios_base_library_initv", out _);

    static void AssertComputes(Process program, string? from)
    {
        (int code, string[] output, string[] error) = TorchProgram.Wait(program);
        Assert.Equal([], error);
        Assert.Equal(from is null ? ["2"] : ["2", from], output);
        Assert.Equal(0, code);
    }

    void AssertFails(params string[] says)
    {
        string[] before = Directory.GetFileSystemEntries(folder);
        (int code, string[] output, string[] error) = TorchProgram.Wait(TorchProgram.Start(folder));
        string line = Assert.Single(error);
        Assert.All(says.Prepend("DllNotFoundException: "), part => Assert.Contains(part, line, StringComparison.Ordinal));
        Assert.Equal([], output);
        Assert.Equal(1, code);
        Assert.Equal(before, Directory.GetFileSystemEntries(folder));
    }

    /// <summary>Copies the program without native libraries.</summary>
    void Copy()
    {
        foreach (string file in Directory.GetFiles(home).Where(file => Path.GetExtension(file) is ".dll" or ".json"))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
    }

    static void CopyNative(string file, string to)
    {
        Directory.CreateDirectory(to);
        File.Copy(Path.Combine(home, natives, file), Path.Combine(to, file));
    }

    /// <summary>The folders beside the program, and each native library with its time of writing.</summary>
    static string[] Listing() =>
    [
        .. Directory.GetDirectories(home),
        .. Directory.GetFiles(Path.Combine(home, "runtimes"), "*", SearchOption.AllDirectories).Select(file => $"{file} {File.GetLastWriteTimeUtc(file):O}"),
    ];
}

sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute() => Skip = OperatingSystem.IsLinux() ? null : "Linux only";
}

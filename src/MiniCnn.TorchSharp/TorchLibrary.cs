using System.Runtime;
using System.Runtime.InteropServices;
using TorchSharp;

namespace MiniCnn.Interop;

/// <summary>Loads TorchSharp's native libraries before TorchSharp looks for them.</summary>
public static partial class TorchLibrary
{
    static readonly string[] platforms = ["linux-x64", "win-x64", "osx-arm64"];
    static readonly Lazy<bool> loaded = new(LoadAll);
    static bool withoutCollections;                      // whether a call of WithoutCollections is active

    /// <summary>
    /// Loads the native libraries. Call it before the first use of TorchSharp. Without it, TorchSharp 0.107 does not load on systems with a libstdc++
    /// older than that of GCC 13 (Debian 12, Ubuntu 22.04, RHEL 9). Later calls do nothing. Thread-safe.
    /// </summary>
    /// <remarks>
    /// Only on these systems, it loads a copy of <c>libLibTorchSharp.so</c> in memory in which an unused reference is weak. Nothing is written to disk.
    /// TorchSharp then finds its libraries loaded. Without this call, TorchSharp copies 480 MB into the program's folder before it reports a library that
    /// does not load.
    /// </remarks>
    /// <exception cref="PlatformNotSupportedException">TorchSharp has no native libraries for this platform. The message lists the supported platforms in one line.</exception>
    /// <exception cref="DllNotFoundException">
    /// A library is missing or does not load. The message is one line with the library, its path, the reason and how to fix it.
    /// </exception>
    public static void Load() => _ = loaded.Value;

    /// <summary>
    /// Runs work without garbage collections. TorchSharp 0.107 passes numbers (torch.Scalar) to native code without keeping them alive. A collection at the
    /// wrong moment frees them while they are in use; this was seen about once in 100,000 optimizer steps. Collections still occur if the work allocates
    /// more than <paramref name="room"/> or if another call is active.
    /// </summary>
    /// <param name="work">The function to run.</param>
    /// <param name="room">Number of bytes that the work may allocate.</param>
    internal static T WithoutCollections<T>(Func<T> work, long room = 1 << 27)
    {
        bool mine = Interlocked.Exchange(ref withoutCollections, true) is false;
        bool began = mine && GCSettings.LatencyMode != GCLatencyMode.NoGCRegion && GC.TryStartNoGCRegion(room);
        try
        {
            return work();
        }
        finally
        {
            if (began && GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)    // false if it allocated more than the room
                GC.EndNoGCRegion();
            if (mine)
                withoutCollections = false;
        }
    }

    static bool LoadAll()
    {
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx"
            : NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "gnu_get_libc_version", out _) ? "linux" : "linux-musl";
        string platform = RequirePlatform($"{system}-{RuntimeInformation.ProcessArchitecture}".ToLowerInvariant());
        // CUDA on Windows needs a load order that TorchSharp implements.
        if (OperatingSystem.IsWindows() && Find("torch_cuda.dll", platform) is not null)
            return true;
        Load("torch", platform);
        Load("LibTorchSharp", platform);
        return true;
    }

    /// <summary>Returns a platform for which TorchSharp has native libraries, and throws for any other.</summary>
    internal static string RequirePlatform(string platform) => platforms.Contains(platform) ? platform : throw new PlatformNotSupportedException(
        $"TorchSharp has native libraries for {string.Join(", ", platforms)}; this is {platform}: use one of those (Linux needs glibc, so not Alpine)");

    static void Load(string name, string platform)
    {
        // As TorchSharp does: in the program's folder, in the host's folders, and by name among the loaded libraries.
        if (NativeLibrary.TryLoad(name, typeof(torch).Assembly, null, out _))
            return;

        string file = OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";
        string path = Find(file, platform) ?? throw new DllNotFoundException(
            $"{file} is neither in {AppContext.BaseDirectory} nor in its {NativeFolder(platform)}: "
            + "reference TorchSharp-cpu, or TorchSharp-cuda for your system, in the program's project and rebuild it");
        try
        {
            if (OperatingSystem.IsLinux() && IostreamMarker.Weaken(File.ReadAllBytes(path)) is byte[] weak)
                LoadFromMemory(weak);
            else
                NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or IOException or UnauthorizedAccessException)
        {
            string reason = e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1];
            throw new DllNotFoundException($"{path} does not load ({reason}): {WayOut()}", e);
        }
    }

    /// <summary>Returns the path of the first file with this name in the folders where build, publish or the host places native libraries.</summary>
    static string? Find(string file, string platform)
    {
        string[] hosted = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        string[] folders = [AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, NativeFolder(platform)), .. hosted];
        return folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
    }

    static string NativeFolder(string platform) => Path.Combine("runtimes", platform, "native");

    static string WayOut() =>
        OperatingSystem.IsWindows() && !(NativeLibrary.TryLoad("msvcp140.dll", out _) && NativeLibrary.TryLoad("vcruntime140_1.dll", out _))
            ? "the Visual C++ runtime is missing; install https://aka.ms/vs/17/release/vc_redist.x64.exe"
            : "all libraries of TorchSharp-cpu, or of TorchSharp-cuda for your system, must be in the same folder; rebuild the program";

    /// <summary>Loads a library from a file in memory. TorchSharp then finds it by the library name (soname) that it contains.</summary>
    static void LoadFromMemory(byte[] library)
    {
        const uint CloseOnExec = 1;
        int descriptor = CreateMemoryFile("libLibTorchSharp.so", CloseOnExec);
        if (descriptor < 0)
            throw new IOException($"memfd_create: {Marshal.GetLastPInvokeErrorMessage()}");
        string path = $"/proc/self/fd/{descriptor}";    // stays open, because the loader would mistake another library at this path for this one
        File.WriteAllBytes(path, library);
        NativeLibrary.Load(path);
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int CreateMemoryFile(string name, uint flags);
}

using System.Runtime;
using System.Runtime.InteropServices;
using TorchSharp;

namespace MiniCnn.Interop;

/// <summary>TorchSharp's native libraries, loaded before TorchSharp itself looks for them.</summary>
public static partial class TorchLibrary
{
    static readonly string[] platforms = ["linux-x64", "win-x64", "osx-arm64"];
    static readonly Lazy<bool> loaded = new(LoadAll);
    static bool withoutCollections;                      // one at a time has that

    /// <summary>
    /// Loads the native libraries; call it before the first use of TorchSharp. Without it, TorchSharp 0.107 does not load where libstdc++ is
    /// older than GCC 13's (Debian 12, Ubuntu 22.04, RHEL 9). Later calls do nothing; any thread may call.
    /// </summary>
    /// <remarks>
    /// There, and only there, a copy of <c>libLibTorchSharp.so</c> in memory is loaded in which an unused reference is weak; nothing is written
    /// to a disk. TorchSharp then finds its libraries loaded. Where they cannot be loaded it would copy 480 MB beside the program before it says so.
    /// </remarks>
    /// <exception cref="PlatformNotSupportedException">TorchSharp has no native libraries for this system; the message, one line, names those it has.</exception>
    /// <exception cref="DllNotFoundException">A library is missing or does not load; the message says in one line which, where, why, and the way out.</exception>
    public static void Load() => _ = loaded.Value;

    /// <summary>
    /// TorchSharp 0.107 gives native code numbers (torch.Scalar) that it does not keep alive: a collection at the wrong moment frees them under it, seen once in
    /// some hundred thousand steps of its optimizers. So there is none while it works, unless the work takes more than the room or stands in such work itself.
    /// </summary>
    /// <param name="work">What is done.</param>
    /// <param name="room">Bytes that it may allocate.</param>
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
            if (began && GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)    // else it took more than the room
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
        // CUDA on Windows wants an order of loading that TorchSharp knows.
        if (OperatingSystem.IsWindows() && Find("torch_cuda.dll", platform) is not null)
            return true;
        Load("torch", platform);
        Load("LibTorchSharp", platform);
        return true;
    }

    /// <summary>Returns a platform for which TorchSharp has native libraries, and throws for any other.</summary>
    internal static string RequirePlatform(string platform) => platforms.Contains(platform) ? platform : throw new PlatformNotSupportedException(
        $"TorchSharp has native libraries for {string.Join(", ", platforms)}; this is {platform}: use one of those (with glibc on Linux: Debian, say, not Alpine)");

    static void Load(string name, string platform)
    {
        // As TorchSharp will: beside the program, as the host says, and by name among what is loaded.
        if (NativeLibrary.TryLoad(name, typeof(torch).Assembly, null, out _))
            return;

        string file = OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";
        string path = Find(file, platform) ?? throw new DllNotFoundException(
            $"{file} is neither in {AppContext.BaseDirectory} nor in its {NativeFolder(platform)}: "
            + "reference TorchSharp-cpu, or TorchSharp-cuda for your system, in the program's project and build it again");
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

    /// <summary>The first file of this name in the folders where a build, a publish or the host puts native libraries.</summary>
    static string? Find(string file, string platform)
    {
        string[] hosted = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        string[] folders = [AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, NativeFolder(platform)), .. hosted];
        return folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
    }

    static string NativeFolder(string platform) => Path.Combine("runtimes", platform, "native");

    static string WayOut() =>
        OperatingSystem.IsWindows() && !(NativeLibrary.TryLoad("msvcp140.dll", out _) && NativeLibrary.TryLoad("vcruntime140_1.dll", out _))
            ? "the Visual C++ runtime is missing, install https://aka.ms/vs/17/release/vc_redist.x64.exe"
            : "all libraries of TorchSharp-cpu, or of TorchSharp-cuda for your system, have to be beside it; build the program again";

    /// <summary>Loads a library from a file that has no name on any disk; TorchSharp then finds it by the name that stands in it.</summary>
    static void LoadFromMemory(byte[] library)
    {
        const uint CloseOnExec = 1;
        int descriptor = CreateMemoryFile("libLibTorchSharp.so", CloseOnExec);
        if (descriptor < 0)
            throw new IOException($"memfd_create: {Marshal.GetLastPInvokeErrorMessage()}");
        string path = $"/proc/self/fd/{descriptor}";    // stays open: the loader would take another library at this path for this one
        File.WriteAllBytes(path, library);
        NativeLibrary.Load(path);
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int CreateMemoryFile(string name, uint flags);
}

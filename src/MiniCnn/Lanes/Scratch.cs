namespace MiniCnn;

/// <summary>Memory to work in, on a cache line's boundary: vectors that lie across two lines take twice as long.</summary>
static unsafe class Scratch<T> where T : unmanaged
{
    const int Line = 64;

    [ThreadStatic]
    static T[]? kept;

    /// <summary>This thread's own memory, which does not move; unspecified numbers. It serves one use at a time.</summary>
    public static T* Take(int length)
    {
        int enough = length + Line / sizeof(T);
        if (kept is null || kept.Length < enough)
            kept = GC.AllocateUninitializedArray<T>(enough, pinned: true);
        fixed (T* memory = kept)
            return Align(memory);
    }

    /// <summary>The next boundary of a cache line.</summary>
    public static T* Align(T* memory) => (T*)(((nint)memory + Line - 1) & -Line);
}

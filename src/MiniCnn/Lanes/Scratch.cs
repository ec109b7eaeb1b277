namespace MiniCnn;

/// <summary>Scratch memory of a thread, aligned to a cache line: vectors that cross cache lines take twice as long.</summary>
static unsafe class Scratch<T> where T : unmanaged
{
    const int Line = 64;

    [ThreadStatic]
    static T[]? kept;

    /// <summary>Returns the memory of this thread, which is pinned. Its content is unspecified. The next Take returns the same memory.</summary>
    public static T* Take(int length)
    {
        int enough = length + Line / sizeof(T);
        if (kept is null || kept.Length < enough)
            kept = GC.AllocateUninitializedArray<T>(enough, pinned: true);
        fixed (T* memory = kept)
            return Align(memory);
    }

    /// <summary>Rounds an address up to the next cache line.</summary>
    public static T* Align(T* memory) => (T*)(((nint)memory + Line - 1) & -Line);
}

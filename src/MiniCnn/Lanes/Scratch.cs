namespace MiniCnn;

/// <summary>Memory to work in, on a cache line's boundary: vectors that lie across two lines take twice as long.</summary>
static unsafe class Scratch<T> where T : unmanaged
{
    const int Line = 64;

    [ThreadStatic]
    static T[]? kept;

    /// <summary>How many numbers more to take than are needed.</summary>
    public static int Slack => Line / sizeof(T);

    /// <summary>The first boundary.</summary>
    public static T* Align(T* memory) => (T*)(((nint)memory + Line - 1) & -Line);

    /// <summary>This thread's own memory, which does not move; unspecified numbers. It serves one use at a time.</summary>
    public static T* Take(int length)
    {
        if (kept is null || kept.Length < length + Slack)
            kept = GC.AllocateUninitializedArray<T>(length + Slack, pinned: true);
        fixed (T* memory = kept)
            return Align(memory);
    }
}

namespace MiniCnn;

/// <summary>Scratch memory on the stack, on a cache line's boundary: vectors that lie across two lines take twice as long.</summary>
static unsafe class Scratch
{
    const int Line = 64;

    /// <summary>How many numbers more to take than are needed.</summary>
    public static int Slack<T>() where T : unmanaged => Line / sizeof(T);

    /// <summary>The first boundary.</summary>
    public static T* Align<T>(T* memory) where T : unmanaged => (T*)(((nint)memory + Line - 1) & -Line);
}

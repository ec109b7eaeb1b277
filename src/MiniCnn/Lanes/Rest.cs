namespace MiniCnn;

/// <summary>The end of a line that is no whole vector.</summary>
static unsafe class Rest
{
    /// <summary>So many numbers, and zeros.</summary>
    public static V Load<T, V>(T* from, int count) where T : unmanaged where V : struct, ILanes<V, T>
    {
        T* all = stackalloc T[V.Count];
        new Span<T>(from, count).CopyTo(new(all, V.Count));
        return V.Load(all);
    }

    /// <summary>So many of a vector's numbers.</summary>
    public static void Store<T, V>(V vector, T* to, int count) where T : unmanaged where V : struct, ILanes<V, T>
    {
        T* all = stackalloc T[V.Count];
        vector.Store(all);
        new Span<T>(all, count).CopyTo(new(to, count));
    }
}

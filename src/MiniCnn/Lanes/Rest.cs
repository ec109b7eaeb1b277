namespace MiniCnn;

/// <summary>Loads and stores the end of a line that does not fill a vector.</summary>
static unsafe class Rest
{
    /// <summary>Loads count numbers, followed by zeros.</summary>
    public static V Load<T, V>(T* from, int count) where T : unmanaged where V : struct, ILanes<V, T>
    {
        T* all = stackalloc T[V.Count];
        new Span<T>(from, count).CopyTo(new(all, V.Count));
        return V.Load(all);
    }

    /// <summary>Stores the first count numbers of a vector.</summary>
    public static void Store<T, V>(V vector, T* to, int count) where T : unmanaged where V : struct, ILanes<V, T>
    {
        T* all = stackalloc T[V.Count];
        vector.Store(all);
        new Span<T>(all, count).CopyTo(new(to, count));
    }
}

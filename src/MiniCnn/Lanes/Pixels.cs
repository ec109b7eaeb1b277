using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>A few neighbouring pixels of a row, kept in registers: what a tile of the convolution moves at once.</summary>
unsafe interface IPixels<P, T> where P : struct, IPixels<P, T> where T : unmanaged
{
    static abstract P Broadcast(T value);

    /// <summary>The pixels at from, from + step, …</summary>
    static abstract P Load(T* from, nint step);

    /// <summary>this + weight · x.</summary>
    P Plus(T weight, P x);

    void Store(T* to, nint step);
}

/// <summary>One pixel.</summary>
readonly unsafe struct Pixels1<V, T>(V a) : IPixels<Pixels1<V, T>, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    readonly V a = a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels1<V, T> Broadcast(T value) => new(V.Broadcast(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels1<V, T> Load(T* from, nint step) => new(V.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Pixels1<V, T> Plus(T weight, Pixels1<V, T> x) => new(V.MultiplyAdd(V.Broadcast(weight), x.a, a));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint step) => a.Store(to);
}

/// <summary>Two pixels.</summary>
readonly unsafe struct Pixels2<V, T>(V a, V b) : IPixels<Pixels2<V, T>, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    readonly V a = a, b = b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels2<V, T> Broadcast(T value)
    {
        V v = V.Broadcast(value);
        return new(v, v);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels2<V, T> Load(T* from, nint step) => new(V.Load(from), V.Load(from + step));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Pixels2<V, T> Plus(T weight, Pixels2<V, T> x)
    {
        V w = V.Broadcast(weight);
        return new(V.MultiplyAdd(w, x.a, a), V.MultiplyAdd(w, x.b, b));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint step)
    {
        a.Store(to);
        b.Store(to + step);
    }
}

/// <summary>Three pixels: with four channels twelve sums, enough to hide the latency of a multiply-add, and few enough for 16 registers.</summary>
readonly unsafe struct Pixels3<V, T>(V a, V b, V c) : IPixels<Pixels3<V, T>, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    readonly V a = a, b = b, c = c;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels3<V, T> Broadcast(T value)
    {
        V v = V.Broadcast(value);
        return new(v, v, v);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels3<V, T> Load(T* from, nint step) => new(V.Load(from), V.Load(from + step), V.Load(from + 2 * step));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Pixels3<V, T> Plus(T weight, Pixels3<V, T> x) => Plus(V.Broadcast(weight), x);

    /// <summary>this + weight · x, with a weight a lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Pixels3<V, T> Plus(V weight, Pixels3<V, T> x) =>
        new(V.MultiplyAdd(weight, x.a, a), V.MultiplyAdd(weight, x.b, b), V.MultiplyAdd(weight, x.c, c));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint step)
    {
        a.Store(to);
        b.Store(to + step);
        c.Store(to + 2 * step);
    }
}
